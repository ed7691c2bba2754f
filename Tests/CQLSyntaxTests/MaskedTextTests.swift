import CQLSyntax
import Testing

struct MaskedTextTests {
    @Test(arguments: [
        ("INSERT INTO ks.t (p, v) VALUES ('it''s', 42)", "INSERT INTO ks.t (p, v) VALUES (…, …)"),
        (
            "UPDATE t USING TTL 86400 AND TIMESTAMP 5 SET v = ? WHERE p = :p",
            "UPDATE t USING TTL 86400 AND TIMESTAMP 5 SET v = ? WHERE p = :p"
        ),
        ("SELECT * FROM t WHERE a = 0xcafe AND b = -1.5 LIMIT 10", "SELECT * FROM t WHERE a = … AND b = -… LIMIT 10"),
        ("UPDATE t SET v = 2h30m WHERE p = 123e4567-e89b-12d3-a456-426655440000", "UPDATE t SET v = … WHERE p = …"),
        ("DELETE /* 'a secret' */ FROM \"T'1\"\n WHERE p = $$it's$$ -- secret", "DELETE FROM \"T'1\" WHERE p = …"),
        ("INSERT INTO t (p) VALUES ('never ends", "INSERT INTO t (p) VALUES (…"),
        ("UPDATE t SET m = {'k': 1, 'l': 2} WHERE p IN (1, 2)", "UPDATE t SET m = {…: …, …: …} WHERE p IN (…, …)"),
        ("", ""),
    ])
    func `values leave a text, names and markers stay`(text: String, masked: String) {
        #expect(MaskedText.of(text) == masked)
    }

    @Test func `a long text is cut between tokens`() {
        let text = "UPDATE t SET somewhat = 'x' WHERE p = 1"
        #expect(MaskedText.of(text, bytesMax: 11) == "UPDATE t…")
        #expect(MaskedText.of(text, bytesMax: 12) == "UPDATE t SET…")
        #expect(MaskedText.of(text, bytesMax: 20) == "UPDATE t SET…")
        #expect(MaskedText.of(text, bytesMax: 21) == "UPDATE t SET somewhat…")
        #expect(MaskedText.of(text, bytesMax: 0) == "…")
    }

    @Test func `no value survives, whatever surrounds it`() {
        let secret = "s3cret"
        for before in ["", "x=", "(", "$", "\u{0}", "é", "''", "$$ $$"] {
            for quoted in ["'\(secret)'", "$$\(secret)$$", "'\(secret)"] {
                #expect(!MaskedText.of("INSERT \(before)\(quoted)").contains(secret), "\(before)\(quoted)")
            }
        }
    }
}
