"""100 calls on one kept connection, by requests or httpx: calls.py CLIENT URL KEY."""

import sys

QUOTE = {"operation": "personas.generate", "input": {"count": 2}}
BALANCE = {"account_id": "clients"}


def session(client):
    if client == "requests":
        import requests

        return requests.Session()
    import httpx

    return httpx.Client(timeout=10)


def main():
    client, url, key = sys.argv[1:]
    headers = {"Authorization": f"Bearer {key}"}
    with session(client) as http:
        for number in range(100):
            path, body = [("actions/quote", QUOTE), ("projections/balance", BALANCE)][number % 2]
            reply = http.post(f"{url}/v1/credits/{path}", json=body, headers=headers)
            if reply.status_code != 200:
                sys.exit(f"call {number}: {reply.status_code} {reply.text}")
            if number % 2 == 0 and reply.json()["price"] != 170:
                sys.exit(f"call {number}: {reply.text}")


main()
