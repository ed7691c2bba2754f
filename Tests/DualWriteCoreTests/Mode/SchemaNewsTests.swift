import CQLProtocol
import DualWriteCore
import Testing

struct SchemaNewsTests {
    private static let second: Int64 = 1_000_000_000
    private static func change(_ kind: String, _ keyspace: String = "k") -> SchemaChange {
        SchemaChange(change: kind, target: .keyspace, keyspace: keyspace)
    }

    /// Expectations take no mutating calls.
    private final class Ears {
        private var news = SchemaNews()

        func isNews(_ change: SchemaChange, from cluster: Cluster, primary: Cluster, now: Int64) -> Bool {
            self.news.isNews(change, from: cluster, primary: primary, now: now)
        }
    }

    @Test func `what both clusters announce is told once, by the primary`() {
        let news = Ears()
        #expect(news.isNews(Self.change("CREATED"), from: .source, primary: .source, now: 0))
        #expect(!news.isNews(Self.change("CREATED"), from: .target, primary: .source, now: 1))
        #expect(!news.isNews(Self.change("DROPPED"), from: .target, primary: .source, now: 2))
        #expect(news.isNews(Self.change("DROPPED"), from: .source, primary: .source, now: 3))
    }

    @Test func `an announcement that comes when its cluster has become primary is told no second time`() {
        let news = Ears()
        #expect(news.isNews(Self.change("CREATED"), from: .source, primary: .source, now: 0))
        #expect(!news.isNews(Self.change("CREATED"), from: .target, primary: .target, now: Self.second))
    }

    @Test func `an announcement that comes when its cluster is no longer primary is not lost`() {
        let news = Ears()
        #expect(!news.isNews(Self.change("CREATED"), from: .target, primary: .source, now: 0))
        #expect(news.isNews(Self.change("CREATED"), from: .source, primary: .target, now: Self.second))
    }

    @Test func `what is made again after it was dropped is told again`() {
        let news = Ears()
        for round in 0..<3 {
            for kind in ["CREATED", "DROPPED"] {
                let now = Int64(round) * Self.second
                #expect(news.isNews(Self.change(kind), from: .source, primary: .source, now: now))
                #expect(!news.isNews(Self.change(kind), from: .target, primary: .source, now: now))
            }
        }
    }

    @Test func `every update that the primary announces is told, and none of the shadow`() {
        let news = Ears()
        for now in 0..<3 as Range<Int64> {
            #expect(news.isNews(Self.change("UPDATED"), from: .source, primary: .source, now: now))
            #expect(!news.isNews(Self.change("UPDATED"), from: .target, primary: .source, now: now))
        }
    }

    @Test func `what was heard long ago, or before too many others, is forgotten`() {
        let news = Ears()
        #expect(news.isNews(Self.change("CREATED"), from: .source, primary: .source, now: 0))
        #expect(news.isNews(Self.change("CREATED"), from: .target, primary: .target, now: 60 * Self.second))
        #expect(!news.isNews(Self.change("CREATED"), from: .source, primary: .target, now: 61 * Self.second))
        for number in 0..<SchemaNews.changesMax {
            #expect(
                news.isNews(
                    Self.change("CREATED", "k\(number)"),
                    from: .target,
                    primary: .target,
                    now: 61 * Self.second
                )
            )
        }
        #expect(news.isNews(Self.change("CREATED"), from: .target, primary: .target, now: 61 * Self.second))
    }
}
