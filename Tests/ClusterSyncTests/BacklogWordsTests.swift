import Operations
import Testing

@testable import ClusterSync

/// What `cluster-sync status` says to somebody who was woken up.
struct BacklogWordsTests {
    private static func words(
        isJournalled: Bool = true,
        _ configure: (inout StatusDocument.Leg) -> Void
    ) -> [String] {
        var leg = StatusDocument.Leg(cluster: "target", role: "shadow", hosts: ["a"])
        leg.connected = true
        configure(&leg)
        return BacklogWords.of(leg, isJournalled: isJournalled).map { ($0.isAlarming ? "! " : "") + $0.text }
    }

    private static func backlog(_ leg: inout StatusDocument.Leg) {
        leg.shadowQueued = 12_345
        leg.shadowQueuedBytes = 8_493_466
        leg.shadowOldestMs = 125_000
    }

    @Test func `a leg that keeps up needs no words`() {
        #expect(Self.words { _ in } == [])
        #expect(
            Self.words {
                $0.shadowQueued = 17
                $0.shadowOldestMs = 40
            } == []
        )
    }

    @Test func `a backlog is told with its reason, size and age`() {
        let rest = "12,345 writes (8.1 MiB) wait in the journal, the oldest 2 min 5 s"
        #expect(
            Self.words {
                Self.backlog(&$0)
                $0.connected = false
                $0.heldBack = true
                $0.breakerOpen = true
            } == ["held back: the target cannot be reached; \(rest)"]
        )
        #expect(
            Self.words {
                Self.backlog(&$0)
                $0.heldBack = true
                $0.breakerOpen = true
            } == ["held back: the target refuses writes or does not answer; \(rest)"]
        )
        #expect(
            Self.words {
                Self.backlog(&$0)
                $0.behind = true
            } == ["target: catching up; \(rest)"]
        )
        #expect(Self.words { Self.backlog(&$0) } == ["target: slow; \(rest)"])
        #expect(
            Self.words(isJournalled: false) {
                Self.backlog(&$0)
                $0.shadowQueued = 1
            } == ["target: slow; 1 write (8.1 MiB) waits in memory, the oldest 2 min 5 s"]
        )
    }

    @Test func `users are named, the first of them, whatever is in their names`() {
        let words = Self.words {
            $0.heldBack = true
            $0.waitsForLogins = 5
            $0.waitsForLoginOf = ["a", "b\u{1b}[2J", "c", "d", "e"]
        }
        #expect(
            words == [
                #"target: copies wait for the next login of 'a', 'b\u{1b}[2J', 'c' and 2 others, "#
                    + "whose password the sidecar does not know or the cluster refuses"
            ]
        )
    }

    @Test func `what may be lost is an alarm and names the command`() {
        let words = Self.words {
            $0.deadLetters = 1
            $0.dirtyPartitions = 2_000
            $0.dirtyWithLoss = 12
        }
        #expect(
            words == [
                "! target: 1 write was refused for good (cluster-sync journal dead-letters)",
                "! target: 2,000 partitions in doubt, 12 may lack an acknowledged write (cluster-sync journal dirty)",
            ]
        )
        #expect(
            Self.words { $0.dirtyPartitions = 3 }
                == [
                    "target: 3 partitions in doubt, none of them lacks an acknowledged write (cluster-sync journal dirty)"
                ]
        )
        #expect(
            Self.words(isJournalled: false) {
                $0.shadowDead = 3
                $0.shadowOverflowed = 4
            } == [
                "! target: no journal; since the start 3 copies were given up and 4 dropped: compare and repair"
            ]
        )
    }

    @Test(arguments: [(0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (8_493_466, "8.1 MiB"), (3 << 40, "3.0 TiB")])
    func `bytes are short`(number: Int, text: String) {
        #expect(Human.bytes(number) == text)
    }

    @Test func `texts from outside cannot move the cursor`() {
        #expect(Human.line("a\nb\tc\r\u{1b}[31m\u{202e}\u{7f}é✓") == #"a b c\u{d}\u{1b}[31m\u{202e}\u{7f}é✓"#)
        #expect(Human.line("abcdef", max: 4) == "abc…")
        #expect(Human.line("abcd", max: 4) == "abcd")
    }

    @Test(arguments: [(0, "1970-01-01T00:00:00.000Z"), (1_764_078_000_123, "2025-11-25T13:40:00.123Z")])
    func `moments are RFC 3339`(milliseconds: Int64, text: String) {
        #expect(Timestamp.text(milliseconds: milliseconds) == text)
    }

    @Test(arguments: [Int64.min, .max])
    func `no moment is beyond the calendar`(milliseconds: Int64) {
        #expect(Timestamp.text(milliseconds: milliseconds).count == 24)
    }
}
