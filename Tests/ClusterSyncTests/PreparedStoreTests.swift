import DualWriter
import Testing

@testable import ClusterSync

struct PreparedStoreTests {
    private static let texts = [
        PreparedText(keyspace: "shop", text: "SELECT \"Ä\" FROM t -- 'x'\n", metadata: .max),
        PreparedText(keyspace: nil, text: "SELECT b FROM shop.t", metadata: 1),
    ]

    @Test func `texts are kept over a restart, in their order`() throws {
        try withTemporaryFolder { path in
            let store = PreparedStore(folder: try StateFolder(path: path))
            #expect(store.load().texts == [])
            try store.save(Self.texts)
            let loaded = store.load()
            #expect(loaded.texts == Self.texts && loaded.remark == nil)
        }
    }

    @Test func `of more than a file may hold the first ones are kept`() throws {
        try withTemporaryFolder { path in
            let store = PreparedStore(folder: try StateFolder(path: path))
            // A control character is six in JSON.
            let long = String(repeating: "\u{1}", count: 100_000)
            let texts = (0..<10).map { PreparedText(keyspace: nil, text: "\($0)\(long)", metadata: 2) }
            try store.save(texts)
            let kept = store.load().texts
            #expect(kept.count == 5 && kept == Array(texts.prefix(5)))
        }
    }

    @Test func `a damaged file is said and costs nothing else`() throws {
        try withTemporaryFolder { path in
            let folder = try StateFolder(path: path)
            try PreparedStore(folder: folder).save(Self.texts)
            let whole = try #require(try folder.content(of: PreparedStore.name))
            for length in [0, 1, whole.count / 2, whole.count - 2] {
                try folder.replace(PreparedStore.name, with: Array(whole.prefix(length)))
                let loaded = PreparedStore(folder: folder).load()
                #expect(loaded.texts == [] && loaded.remark?.contains(PreparedStore.name) == true)
            }
        }
    }
}
