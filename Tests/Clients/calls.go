// 100 calls with Go's own client on one kept connection: calls URL KEY.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
)

var calls = [][2]string{
	{"actions/quote", `{"operation": "personas.generate", "input": {"count": 2}}`},
	{"projections/balance", `{"account_id": "clients"}`},
}

var connections = 0

var trace = &httptrace.ClientTrace{
	GotConn: func(info httptrace.GotConnInfo) {
		if !info.Reused {
			connections++
		}
	},
}

func call(url, key, path, body string) error {
	request, err := http.NewRequest("POST", url+"/v1/credits/"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s", reply.Status, text)
	}
	return err
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func main() {
	url, key := os.Args[1], os.Args[2]
	for number := 0; number < 100; number++ {
		next := calls[number%len(calls)]
		if err := call(url, key, next[0], next[1]); err != nil {
			fail("call %d: %v", number, err)
		}
	}
	// A proxy may close a kept one now and then.
	if connections > 2 {
		fail("%d connections for 100 calls", connections)
	}
}
