import FoundationEssentials
import Testing

@testable import ClusterSync

struct MigrationNarratorTests {
    private struct Away: Error, CustomStringConvertible { let description = "nobody is there" }

    /// What is told, line by line.
    private final class Page {
        var text = ""
    }

    private func narrator(_ page: Page, isDocument: Bool = false) -> MigrationNarrator {
        MigrationNarrator(Style(isColored: false), isDocument: isDocument) { page.text += $0 }
    }

    private func outcome(_ found: Int, of expected: Int) -> MigrationOutcome {
        var outcome = MigrationOutcome()
        outcome.figure = "\(found) rows"
        outcome.claim("rows", found, is: expected)
        return outcome
    }

    @Test func `a step is one line with its figure, and the end counts the claims`() async throws {
        let page = Page()
        let narrator = self.narrator(page)
        try await narrator.step("one", "The first") { self.outcome(1_000, of: 1_000) }
        #expect(page.text == "  ✓  1  The first                     1000 rows\n")
        #expect(try narrator.conclude(isWhole: true, "Words."))
        #expect(page.text.contains("Everything is as it must be: 1 claims in 1 steps hold."))
    }

    @Test func `a claim that does not hold ends the story and is told with both figures`() async throws {
        let page = Page()
        let narrator = self.narrator(page)
        await #expect(throws: MigrationNarrator.Ended.self) {
            try await narrator.step("one", "The first") { self.outcome(3, of: 5) }
        }
        #expect(page.text.hasSuffix("       does not hold: rows: 3 instead of 5\n"), "\(page.text)")
        #expect(try !narrator.conclude(isWhole: false, "Words."))
        #expect(page.text.contains("the story ends in step 1"))
    }

    @Test func `a step that cannot be done ends the story with the reason`() async throws {
        let page = Page()
        let narrator = self.narrator(page)
        await #expect(throws: MigrationNarrator.Ended.self) {
            try await narrator.step("one", "The first") { throw Away() }
        }
        #expect(page.text.contains("✗  1  The first"))
        #expect(page.text.contains("nobody is there"))
    }

    @Test func `a story that was not told to its end is not fine, whatever held so far`() async throws {
        let narrator = self.narrator(Page())
        try await narrator.step("one", "The first") { self.outcome(1, of: 1) }
        #expect(try !narrator.conclude(isWhole: false, "Words."))
    }

    @Test func `a document is all that is written, and has every figure and claim`() async throws {
        struct Document: Decodable {
            struct Step: Decodable {
                struct Claim: Decodable {
                    var what: String
                    var holds: Bool
                }
                var number: Int
                var step: String
                var ok: Bool
                var claims: [Claim]
            }
            var ok: Bool
            var steps: [Step]
        }
        let page = Page()
        let narrator = self.narrator(page, isDocument: true)
        narrator.line("not told")
        try await narrator.step("one", "The first") { self.outcome(1, of: 1) }
        await #expect(throws: MigrationNarrator.Ended.self) {
            try await narrator.step("two", "The second") { self.outcome(3, of: 5) }
        }
        #expect(try !narrator.conclude(isWhole: false, "Words."))
        let document = try JSONDecoder().decode(Document.self, from: Data(page.text.utf8))
        #expect(!document.ok)
        #expect(document.steps.map(\.number) == [1, 2])
        #expect(document.steps.map(\.step) == ["one", "two"])
        #expect(document.steps.map(\.ok) == [true, false])
        #expect(document.steps[1].claims.map(\.what) == ["rows: 3 instead of 5"])
    }
}

struct ShopLedgerTests {
    @Test func `a cluster disagrees where a row is missing, is another one, or should be gone`() {
        let ledger = ShopLedger()
        ledger.wrote(.customer(1), "a")
        ledger.wrote(.customer(2), "b")
        ledger.wrote(.customer(3), "c")
        ledger.deleted(.customer(3))
        #expect(ledger.acknowledged == 4)
        #expect(ledger.disagreeing(with: [.customer(1): "a", .customer(2): "b"]) == [])
        #expect(
            ledger.disagreeing(with: [.customer(1): "x", .customer(3): "c"]) == [
                .customer(1), .customer(2), .customer(3),
            ]
        )
    }

    @Test func `what was written since the mark is known, counters among it`() {
        let ledger = ShopLedger()
        ledger.wrote(.cart(1), "a")
        ledger.mark()
        ledger.visited(4)
        ledger.deleted(.cart(2))
        #expect(ledger.writtenSinceMark == [.page(4), .cart(2)])
        #expect(ledger.visits == [4: 1])
    }
}
