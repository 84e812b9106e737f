import HTTPTypes
import TestSupport
import Testing
import Tollgate

extension Integration {
  /// The envelope of every reply: one key `error`, JSON, a request id, no limits in headers.
  @Suite struct EnvelopeTests {
    private static let reserve =
      #"{"account_id": "a", "operation": "personas.generate", "quantities": {"count": 1}}"#

    @Test func everyReplyIsJSONWithARequestID() async throws {
      try await withGate { gate in
        for (status, method, path, body) in [
          (200, .post, "actions/reserve", Self.reserve),
          (200, .post, "projections/balance", #"{"account_id": "a"}"#),
          (200, .get, "/health/live", nil), (200, .get, "/health/ready", nil),
          (402, .post, "actions/reserve", Self.reserve.replacing(": 1}", with: ": 200}")),
          (403, .post, "actions/grant", "{}"), (404, .post, "actions/nothing", "{}"),
          (404, .get, "/", nil), (404, .get, "/v1/credits/", nil),
          (422, .post, "actions/reserve", "{"),
          (400, .post, "actions/reserve", Self.reserve.replacing("generate", with: "none")),
          (413, .post, "actions/reserve", String(repeating: " ", count: (1 << 20) + 1)),
        ] as [(Int, HTTPRequest.Method, String, String?)] {
          let reply = try await gate.send(method, path, body, as: .service)
          #expect(reply.status == status, "\(method) \(path): \(reply.text)")
          reply.expectEnvelope()
        }
        for method in [HTTPRequest.Method.get, .put, .delete, .patch] {
          let reply = try await gate.send(method, "actions/reserve", nil, as: .service)
          #expect([404, 405].contains(reply.status))
          reply.expectEnvelope()
        }
      }
    }

    @Test func aSafeRequestIDIsRepeatedAndAnotherReplaced() async throws {
      try await withGate { gate in
        for (id, isSafe) in [
          ("req-1:a.B_9", true), (String(repeating: "x", count: 128), true),
          (String(repeating: "x", count: 129), false), ("a b", false), ("a\"b", false),
          ("<script>", false), ("\u{e9}", false), ("", false),
        ] {
          for path in ["actions/reserve", "actions/nothing"] {
            let reply = try await gate.send(
              .post, path, "{}", as: .service, headers: ["x-request-id": id])
            #expect((reply.header("x-request-id") == id) == isSafe)
            reply.expectEnvelope()
          }
        }
      }
    }

    @Test func twoRepliesHaveTwoRequestIDs() async throws {
      try await withGate { gate in
        let first = try await gate.get("/health/live").header("x-request-id")
        #expect(try await gate.get("/health/live").header("x-request-id") != first)
      }
    }

    @Test func anUnknownRouteIsNotFound() async throws {
      try await withGate { gate in
        let reply = try await gate.post("actions/steal")
        #expect(reply.text == #"{"error":{"code":"NOT_FOUND","message":"no such route"}}"#)
      }
    }

    @Test(arguments: [("actions/reserve", 1 << 20), ("actions/batch", 8 << 20)])
    func aBodyOverTheLimitIsTooLarge(path: String, limit: Int) async throws {
      try await withGate { gate in
        let body = String(repeating: " ", count: limit - 2) + "{}"
        #expect(try await gate.post(path, body).status == 422)
        let reply = try await gate.post(path, body + " ")
        #expect(reply.status == 413)
        #expect(
          reply.text
            == #"{"error":{"code":"CONTENT_TOO_LARGE","#
            + #""message":"the body exceeds \#(limit) bytes"}}"#
        )
        #expect(try await gate.post("actions/quote").status == 422)
      }
    }

    private static let broken: [(String, Int64)] = [
      ("{", 1), ("nope", 0), (#"{"a": 1} x"#, 9), (#"{"a": 1, "a": 2}"#, 9), (#"{"a": NaN}"#, 6),
      (#"{"a": 01}"#, 8), (#"{"a": "\ud800"}"#, 13), ("{'a': 1}", 1), ("\u{feff}{}", 0),
    ]

    @Test func brokenJSONIsUnprocessable() async throws {
      try await withGate { gate in
        for (body, offset) in Self.broken {
          let reply = try await gate.post("actions/reserve", body)
          #expect(reply.status == 422)
          #expect(reply["error"]?["code"] == .string("validation_failed"))
          #expect(reply["error"]?["message"] == .string("request validation failed"))
          #expect(reply.detail?["type"] == .string("json_invalid"))
          #expect(reply.detail?.keys == ["loc", "msg", "type"])
          #expect(reply.detail?["loc"] == .array([.integer(offset)]), "\(body)")
        }
      }
    }

    @Test func nestingIsLimited() async throws {
      try await withGate { gate in
        for (depth, type) in [(63, "missing"), (64, "json_invalid"), (100_000, "json_invalid")] {
          let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
          let reply = try await gate.post("actions/reserve", #"{"input": \#(nested)}"#)
          #expect(reply.status == 422)
          #expect(reply.detail?["type"] == .string(type))
        }
      }
    }

    @Test func oneUnprocessableReplyNamesAllThatIsWrong() async throws {
      try await withGate { gate in
        let reply = try await gate.post(
          "actions/reserve",
          #"{"account_id": 7, "quantities": [], "ttl_seconds": "1", "max_price": -1}"#)
        #expect(reply.status == 422)
        #expect(
          reply.json
            == JSON(
              """
              {"error": {"code": "validation_failed", "message": "request validation failed",
                "details": [
                  {"loc": ["account_id"], "msg": "Input should be a valid string",
                   "type": "string_type"},
                  {"loc": ["operation"], "msg": "Field required", "type": "missing"},
                  {"loc": ["quantities"], "msg": "Input should be an object",
                   "type": "object_type"},
                  {"loc": ["max_price"],
                   "msg": "Input should be between 0 and 9223372036854775807",
                   "type": "int_range"},
                  {"loc": ["ttl_seconds"], "msg": "Input should be a valid integer",
                   "type": "int_type"}]}}
              """))
      }
    }

    @Test func unknownKeysAreIgnored() async throws {
      try await withGate { gate in
        let reply = try await gate.post(
          "actions/reserve", Self.reserve.dropLast() + #", "x": {"y": [null]}, "": 1e400}"#)
        #expect(reply.status == 200)
      }
    }
  }
}

extension TestReply {
  /// What holds for every reply, whatever its status.
  func expectEnvelope() {
    #expect(header("x-request-id")?.isEmpty == false)
    #expect(header("content-type") == "application/json; charset=utf-8")
    for field in headers {
      let name = field.name.canonicalName
      #expect(
        !name.hasPrefix("ratelimit") && !name.hasPrefix("x-rate") && name != "retry-after")
    }
    guard status >= 400 else { return }
    #expect(json.keys == ["error"])
    let allowed: Set = ["code", "message", "details", "trace_id"]
    #expect(allowed.isSuperset(of: json["error"]?.keys ?? ["none"]))
    #expect((json["error"]?["trace_id"] != nil) == (status >= 500))
  }
}
