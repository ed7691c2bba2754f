import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import Synchronization
import TestSupport
import Testing

@testable import ClusterSync

/// `cluster-sync demo --migration`: that the story comes out, and that it says so where it does not.
struct MigrationDemoTests {
    private struct Document: Decodable {
        struct Claim: Decodable {
            var what: String
            var holds: Bool
        }
        struct Step: Decodable {
            var step: String
            var ok: Bool
            var figure: String
            var numbers: [String: Int]
            var claims: [Claim]
        }
        var ok: Bool
        var seconds: Double
        var steps: [Step]

        init(_ text: String) throws { self = try JSONDecoder().decode(Document.self, from: Data(text.utf8)) }

        func numbers(_ step: String) throws -> [String: Int] {
            try #require(self.steps.first { $0.step == step }).numbers
        }
    }

    private static let ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]

    @Test func `a whole migration comes out, and each step shows the figure that it was checked by`() async throws {
        let result = try await ChildProcess(["demo", "--migration", "--json"] + Self.ports).result()
        #expect(result.code == 0, "\(result.output) \(result.errors)")
        let document = try Document(result.output)
        #expect(document.ok)
        #expect(document.seconds < 60)
        #expect(
            document.steps.map(\.step) == [
                "old_data", "primary_only", "dual_write_async", "load", "load_counters", "compare", "drift",
                "compare_drift",
                "repair_dry_run", "repair", "compare_repaired", "dual_write_sync", "shadow_primary", "rollback",
                "shadow_primary_again", "compare_before_end", "target_only", "end",
            ]
        )
        #expect(document.steps.allSatisfy { $0.ok && !$0.figure.isEmpty && !$0.claims.isEmpty })
        // 300 customers, each with a cart and 8 orders, and 20 pages.
        #expect(try document.numbers("old_data")["rows"] == 3_020)
        // The application cancels orders meanwhile, one of each of 200 customers at most.
        #expect(try #require(try document.numbers("load")["rows"]) >= 2_800)
        #expect(try #require(try document.numbers("load")["writes_meanwhile"]) > 0)
        let drift = try document.numbers("compare_drift")
        #expect(
            ["missing_on_target", "missing_on_source", "value", "ttl", "rows_different"].map { drift[$0] }
                == [5, 5, 5, 5, 20]
        )
        #expect(try document.numbers("repair")["repaired"] == 20)
        #expect(try document.numbers("compare_repaired")["rows_different"] == 0)
        #expect(try document.numbers("rollback")["lost"] == 0)
        // Six changes of the mode: four forward, one back, and that one forward again.
        #expect(try document.numbers("target_only")["epoch"] == 6)
        #expect(try document.numbers("end")["lost"] == 0)
        #expect(try document.numbers("end")["failed"] == 0)
    }

    @Test func `a target that refuses a table's rows ends the story with what does not hold`() async throws {
        let folder = try TemporaryFolder()
        let stage = try await DemoStage(
            listen: "127.0.0.1:0",
            admin: "127.0.0.1:0",
            stateDirectory: "\(folder.path)/state"
        )
        let refusal = ErrorMessage(.invalid, "refused by the test")
        stage.target.setFaults([
            FaultRule(.all([.opcode(.execute), .textContains("INSERT INTO"), .textContains("carts")]), .error(refusal))
        ])
        let text = Mutex("")
        let story = MigrationStory(
            stage: stage,
            style: Style(isColored: false),
            folder: folder.path,
            isDocument: false,
            write: { words in text.withLock { $0 += words } }
        )
        let isFine = try await stage.withSidecar(stays: false) { try await story.run() }
        #expect(!isFine)
        let told = text.withLock { $0 }
        #expect(told.contains("✗  4  Bulk load under traffic"), "\(told)")
        #expect(told.contains("does not hold: dead letters: "), "\(told)")
        #expect(told.contains("the story ends in step 4"), "\(told)")
    }

    @Test(arguments: [["--json"], ["--migration", "--json", "--stay"]])
    func `JSON is that of the migration's steps alone`(words: [String]) async throws {
        let result = try await ChildProcess(["demo"] + words + Self.ports).result()
        #expect(result.code == 64)
        #expect(result.errors.contains("--json"), "\(result.errors)")
    }
}
