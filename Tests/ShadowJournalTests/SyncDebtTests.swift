import ShadowJournal
import TestSupport
import Testing

struct SyncDebtTests {
    /// A log's owner and the thread that syncs, without either.
    private final class Life {
        var debt: SyncDebt
        var turn: UInt32 = 0
        /// What the disk has told last; a sync that takes its time is told of before the end of the next turn.
        var arrived: UInt32 = .max
        private var underWay: UInt32?
        var last: UInt64 = 0
        /// The last record that was there when the owner noticed the turn that it knows.
        private(set) var noticed: UInt64 = 0

        init(recovered: Int = 0) {
            self.debt = SyncDebt(openRecords: recovered, end: JournalPosition(segment: 1, offset: 0))
        }

        private func notice() {
            guard self.debt.turn != self.turn else { return }
            let end = JournalPosition(segment: 1, offset: Int(self.last + 1) * 8)
            self.debt.began(self.turn, arrived: self.arrived, end: end)
            self.noticed = self.last
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

        enum Disk { case quick, slow, failing }

        /// Ends a turn, and syncs where that is needed. Returns whether it was.
        func endTurn(_ disk: Disk = .quick) -> Bool {
            defer { self.turn += 1 }
            if let turn = self.underWay { self.arrived = turn }
            self.underWay = nil
            guard self.debt.word.needsDisk(atEndOf: self.turn) else { return false }
            switch disk {
            case .quick: self.arrived = self.debt.word.turn
            case .slow: self.underWay = self.debt.word.turn
            case .failing: break
            }
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
            #expect(life.endTurn(.failing))
        }
        life.finish(life.append())
        #expect(life.endTurn())
        life.finish(life.append())
        #expect(!life.endTurn())
    }

    @Test func `an owner with much to do rests the disk although each sync ends in the middle of its next turn`() {
        let life = Life()
        life.finish(life.append())
        life.require()
        #expect(!life.endTurn(.slow))
        var syncs = 0
        for _ in 0..<20 {
            life.finish(life.append())
            if life.endTurn(.slow) { syncs += 1 }
        }
        #expect(syncs == 2, "the second began before the owner could know of the first")
    }

    @Test func `a record that came while the disk was busy is not taken for one that it has`() {
        let life = Life()
        life.require()
        #expect(!life.endTurn(.slow))
        _ = life.append()
        #expect(life.endTurn(.slow), "what was required")
        let late = life.append()
        #expect(life.endTurn(.failing), "the first record")
        life.finish(life.append())
        #expect(life.endTurn(), "the second one, which no sync was for")
        life.finish(late)
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
        var underWay: Set<JournalPosition> = []
        var syncs = 0
        for step in 0..<3_000 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<5: open.append((life.append(), life.turn))
            case 5..<10 where !open.isEmpty:
                let index = Int.random(in: 0..<open.count, using: &random)
                life.finish(open.remove(at: index).position)
            case 10:
                let disk: Life.Disk = [.quick, .quick, .slow, .slow, .failing].randomElement(using: &random)!
                durable.formUnion(underWay)
                underWay = []
                let known = life.noticed
                if life.endTurn(disk) {
                    syncs += 1
                    // Of what came after the owner noticed its turn nobody knows.
                    let synced = open.map(\.position).filter {
                        $0 <= JournalPosition(segment: 1, offset: Int(known) * 8)
                    }
                    switch disk {
                    case .quick: durable.formUnion(synced)
                    case .slow: underWay = Set(synced)
                    case .failing: break
                    }
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
