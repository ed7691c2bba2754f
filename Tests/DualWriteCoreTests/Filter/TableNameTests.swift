import DualWriteCore
import Testing

struct TableNameTests {
    @Test(arguments: [
        ("ks.t", "ks", "t", "ks.t"), ("KS.T", "ks", "t", "ks.t"), ("ks.*", "ks", nil, "ks.*"),
        ("ks", "ks", nil, "ks.*"),
        (#""Ks"."a ""b"".c""#, "Ks", #"a "b".c"#, #""Ks"."a ""b"".c""#), (#""1a"._x"#, "1a", "_x", #""1a"._x"#),
    ])
    func `a name is read as CQL writes it and written so that it can be read again`(
        text: String,
        keyspace: String,
        table: String?,
        written: String
    ) throws {
        let name = try #require(TableName(text))
        #expect(name == TableName(keyspace: keyspace, table: table))
        #expect(name.description == written)
        #expect(TableName(written) == name)
    }

    @Test(arguments: ["", ".", "ks.", ".t", "ks.t.x", "ks t", "1.t", #""ks"#, #""".t"#, "ks.t;", "ks. t"])
    func `what is no name is refused`(text: String) {
        #expect(TableName(text) == nil)
    }
}
