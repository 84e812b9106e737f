import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** 100 calls by a client with its defaults, which offers HTTP/2 with each: Calls.java URL KEY. */
class Calls {
  private static final String[] PATHS = {"actions/quote", "projections/balance"};
  private static final String[] BODIES = {
    "{\"operation\": \"personas.generate\", \"input\": {\"count\": 2}}",
    "{\"account_id\": \"clients\"}"
  };

  public static void main(String[] arguments) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    for (int number = 0; number < 100; number++) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(arguments[0] + "/v1/credits/" + PATHS[number % 2]))
              .header("Authorization", "Bearer " + arguments[1])
              .timeout(Duration.ofSeconds(10))
              .POST(HttpRequest.BodyPublishers.ofString(BODIES[number % 2]))
              .build();
      HttpResponse<String> reply = client.send(request, HttpResponse.BodyHandlers.ofString());
      if (reply.statusCode() != 200) {
        System.err.println("call " + number + ": " + reply.statusCode() + " " + reply.body());
        System.exit(1);
      }
    }
    System.exit(0);
  }
}
