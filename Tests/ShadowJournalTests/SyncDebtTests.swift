import ShadowJournal
import TestSupport
import Testing

struct SyncDebtTests {
    /// A log's owner and the thread that syncs, without either.
    private final class Life {
        var debt: SyncDebt
        var turn: UInt32 = 0
        var arrived: UInt32?
        var last: UInt64 = 0

        init(recovered: Int = 0) {
            self.debt = SyncDebt(openRecords: recovered, end: JournalPosition(segment: 1, offset: 0))
        }

        private func notice() {
            guard self.debt.turn != self.turn else { return }
            let end = JournalPosition(segment: 1, offset: Int(self.last + 1) * 8)
            self.debt.began(self.turn, isSynced: self.arrived == self.debt.turn, end: end)
        }

        func append() -> JournalPosition {
            self.notice()
            self.last += 1
            self.debt.appended()
            return JournalPosition(segment: 1, offset: Int(self.last) * 8)
        }

        func finish(_ position: JournalPosition) {
            self.notice()
            self.debt.finished(at: position)
        }

        func change(_ position: JournalPosition) {
            self.notice()
            self.debt.changed(at: position)
        }

        func require() {
            self.notice()
            self.debt.require()
        }

        /// Ends a turn, and syncs where that is needed. Returns whether it was.
        func endTurn(diskTakesIt: Bool = true) -> Bool {
            defer { self.turn += 1 }
            guard self.debt.word.needsDisk(atEndOf: self.turn) else { return false }
            if diskTakesIt { self.arrived = self.debt.word.turn }
            return true
        }
    }

    @Test func `records that are finished within a turn never need the disk`() {
        let life = Life()
        for _ in 0..<10 {
            let early = (0..<5).map { _ in life.append() }
            for position in early { life.finish(position) }
            // These are finished in the next turn.
            let late = (0..<3).map { _ in life.append() }
            #expect(!life.endTurn())
            for position in late { life.finish(position) }
        }
        #expect(!life.endTurn() && !life.endTurn())
    }

    @Test func `a record that is open for a whole turn needs the disk, once`() {
        let life = Life()
        let slow = life.append()
        #expect(!life.endTurn(), "it is younger than the turn")
        life.finish(life.append())
        #expect(life.endTurn(), "at the latest two turns after it was appended")
        for _ in 0..<5 {
            life.finish(life.append())
            #expect(!life.endTurn(), "the disk has it")
        }
        life.finish(slow)
        #expect(!life.endTurn())
        life.finish(life.append())
        #expect(life.endTurn(), "the disk has it as open")
        life.finish(life.append())
        #expect(!life.endTurn())
    }

    @Test func `an owner that comes to rest leaves nothing behind that is owed`() {
        let life = Life()
        _ = life.append()
        #expect(!life.endTurn())
        #expect(life.endTurn())
    }

    @Test func `an owner that comes to rest with everything finished needs no disk`() {
        let life = Life()
        life.finish(life.append())
        for _ in 0..<5 { #expect(!life.endTurn()) }
    }

    @Test func `what the disk did not take is needed again`() {
        let life = Life()
        _ = life.append()
        #expect(!life.endTurn())
        for _ in 0..<5 {
            life.finish(life.append())
            #expect(life.endTurn(diskTakesIt: false))
        }
        life.finish(life.append())
        #expect(life.endTurn())
        life.finish(life.append())
        #expect(!life.endTurn())
    }

    @Test func `nobody knows what an earlier process has brought to the disk`() {
        let life = Life(recovered: 3)
        #expect(life.endTurn())
        _ = life.append()
        #expect(!life.endTurn())
    }

    @Test func `another state of a record that the disk has needs the disk`() {
        let life = Life()
        let slow = life.append()
        #expect(!life.endTurn())
        life.change(slow)
        #expect(life.endTurn(), "for its own sake")
        life.finish(life.append())
        #expect(!life.endTurn())
        life.change(slow)
        #expect(!life.endTurn(), "younger than the turn")
        #expect(life.endTurn())
    }

    @Test func `what is required reaches the disk within two turns though all is finished`() {
        let life = Life()
        life.finish(life.append())
        life.require()
        #expect(!life.endTurn())
        life.finish(life.append())
        #expect(life.endTurn())
        life.finish(life.append())
        #expect(!life.endTurn())
    }

    /// Held against plain facts: which records are open, in which turn they came, and what the last sync had.
    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func `nothing stays open for two turns without being on the disk`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let life = Life()
        var open: [(position: JournalPosition, turn: UInt32)] = []
        var durable: Set<JournalPosition> = []
        var syncs = 0
        for step in 0..<3_000 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<5: open.append((life.append(), life.turn))
            case 5..<10 where !open.isEmpty:
                let index = Int.random(in: 0..<open.count, using: &random)
                life.finish(open.remove(at: index).position)
            case 10:
                let takesIt = Int.random(in: 0..<5, using: &random) > 0
                if life.endTurn(diskTakesIt: takesIt) {
                    syncs += 1
                    guard takesIt else { continue }
                    durable = Set(open.map(\.position))
                } else {
                    let owed = open.filter { $0.turn + 2 <= life.turn && !durable.contains($0.position) }
                    #expect(owed.isEmpty, "seed \(seed), step \(step)")
                }
            default: continue
            }
        }
        #expect(syncs > 20)
    }
}
