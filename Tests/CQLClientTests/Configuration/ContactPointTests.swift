import CQLClient
import Testing

struct ContactPointTests {
    @Test(arguments: [
        ("db", "db", nil), ("db.example.org:9142", "db.example.org", 9_142), ("10.0.0.1", "10.0.0.1", nil),
        ("10.0.0.1:1", "10.0.0.1", 1), ("::1", "::1", nil), ("[::1]", "::1", nil),
        ("[fe80::1]:65535", "fe80::1", 65_535),
    ])
    func `names and addresses are read with and without a port`(text: String, host: String, port: Int?) throws {
        #expect(try ContactPoint(parsing: text) == ContactPoint(host: host, port: port))
    }

    @Test(arguments: [
        "", " ", "db:", "db:0", "db:65536", "db:x", "db:+1", ":9042", "[::1", "[::1]9042", "[db]:1", "a:b:c", "db 1",
        "http://x", "a@b",
    ])
    func `anything else is refused with the text and what to write`(text: String) {
        let error = #expect(throws: ContactPointError.self) { try ContactPoint(parsing: text) }
        #expect(error?.description.contains("'\(text)'") == true)
        #expect(error?.description.contains("host:port") == true)
    }
}
