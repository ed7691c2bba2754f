import ShadowJournal
import SystemPackage
import TestSupport
import Testing

/// Random lives of a log, held against a plain array.
struct JournalModelTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `a log does what an array would do, over restarts and damage at its end`(seed: UInt64) throws {
        let life = try LogLife(seed: seed)
        for step in 0..<3_000 { try life.take(step) }
        #expect(life.appended > 1_000 && life.refusals > 0 && life.restarts > 10, "seed \(seed)")
    }
}

private final class LogLife {
    private struct Known {
        var position: JournalPosition
        var entry: Entry
        var key: Int?
    }

    private static let bytesMax = 100_000
    private static let configuration = JournalConfiguration(segmentBytes: 8_192, bytesMax: LogLife.bytesMax)

    private let seed: UInt64
    private var random: SeededRandom
    private let scratch = Scratch(inMemory: true)
    private var directory: JournalDirectory?
    private var log: JournalLog?
    private var model: [Known] = []
    private var lastSequence: UInt64 = 0
    private var definedIn: [Int: UInt64] = [:]
    private var wasSpoiled = false
    private(set) var appended = 0
    private(set) var refusals = 0
    private(set) var restarts = 0

    init(seed: UInt64) throws {
        self.seed = seed
        self.random = SeededRandom(seed: seed)
        try self.open()
    }

    private func open() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        self.directory = directory
        self.log = try directory.openLog(named: "target-0", configuration: Self.configuration)
    }

    func take(_ step: Int) throws {
        let context: Comment = "seed \(self.seed), step \(step)"
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<56: self.append(step, context)
        case 56..<88: self.finish(context)
        case 88..<96: self.changeState()
        case 96: self.finishMost()
        case 97: try self.restart(context)
        default: return
        }
        guard let log = self.log else { return }
        #expect(log.openRecords == self.model.count && log.lastSequence == self.lastSequence, context)
        #expect(log.bytes == self.model.reduce(0) { $0 + $1.entry.payload.count }, context)
        #expect(log.diskBytes <= Self.bytesMax, context)
        #expect(log.oldestOpen()?.position == self.model.first?.position, context)
        if step.isMultiple(of: 50) { try self.compare(log, context) }
    }

    private func append(_ step: Int, _ context: Comment) {
        guard let log = self.log else { return }
        let isLong = Int.random(in: 0..<40, using: &self.random) == 0
        let count = Int.random(in: 0...(isLong ? 20_000 : 400), using: &self.random)
        let payload = [UInt8](repeating: UInt8.random(in: 0...255, using: &self.random), count: count)
        let key = Bool.random(using: &self.random) ? Int.random(in: 0..<5, using: &self.random) : nil
        let size = JournalLog.byteCount(ofRecord: count) + (key == nil ? 0 : JournalLog.byteCount(ofDefinition: 8))
        guard case .success(let segment) = log.reserve(size, now: Int64(step)) else {
            self.refusals += 1
            #expect(log.diskBytes + max(8_192, size + 4_160) > Self.bytesMax, context)
            return
        }
        if let key, self.definedIn[key] != segment {
            withUnsafeBytes(of: UInt64(key)) { log.define(Self.key(key), $0, time: 0) }
            self.definedIn[key] = segment
        }
        let position = payload.withUnsafeBytes { log.append(kind: 1, state: .waiting, time: Int64(step), $0) }
        #expect(position.segment == segment, context)
        self.lastSequence += 1
        self.appended += 1
        let entry = Entry(sequence: self.lastSequence, state: JournalState.waiting.rawValue, payload: payload)
        self.model.append(Known(position: position, entry: entry, key: key))
    }

    private func finish(_ context: Comment) {
        guard let log = self.log, !self.model.isEmpty else { return }
        // Mostly the older ones, as answers come in.
        let range = Int.random(in: 0..<4, using: &self.random) > 0 ? min(self.model.count, 10) : self.model.count
        let known = self.model.remove(at: Int.random(in: 0..<range, using: &self.random))
        #expect(log.setState(.finished, at: known.position), context)
        #expect(!log.setState(.sent, at: known.position), context)
    }

    private func changeState() {
        guard let log = self.log, !self.model.isEmpty else { return }
        let index = Int.random(in: 0..<self.model.count, using: &self.random)
        let state = UInt8.random(in: 0...200, using: &self.random)
        self.model[index].entry.state = state
        log.setState(JournalState(rawValue: state), at: self.model[index].position)
    }

    private func finishMost() {
        guard let log = self.log, Int.random(in: 0..<4, using: &self.random) == 0 else { return }
        var rest: [Known] = []
        for known in self.model.shuffled(using: &self.random) {
            if Int.random(in: 0..<10, using: &self.random) == 0 {
                rest.append(known)
            } else {
                log.setState(.finished, at: known.position)
            }
        }
        self.model = rest.sorted { $0.position < $1.position }
    }

    /// The end of a process, clean or not, and sometimes a disk that spoils the last open record.
    private func restart(_ context: Comment) throws {
        let isClean = Bool.random(using: &self.random)
        if isClean {
            #expect(self.log?.close() == true, context)
            #expect(try self.directory?.close() == true, context)
        }
        self.log = nil
        self.directory = nil
        self.restarts += 1
        let spoils = !self.model.isEmpty && Int.random(in: 0..<4, using: &self.random) == 0
        if spoils { self.damage(self.model.removeLast().position) }
        try self.open()
        self.wasSpoiled = self.wasSpoiled || spoils
        guard let log = self.log else { return }
        #expect(self.directory?.previousEnd == (isClean ? .clean : .killed), context)
        // Damage is told as long as its segment is there.
        #expect(log.recovery.isComplete == !spoils || self.wasSpoiled && !spoils, context)
        // Only a very last record takes its sequence with it.
        #expect(log.lastSequence == self.lastSequence || spoils && log.lastSequence < self.lastSequence, context)
        self.lastSequence = log.lastSequence
        self.definedIn = [:]
        try self.compare(log, context)
    }

    private func damage(_ position: JournalPosition) {
        for name in self.scratch.files() where name.hasPrefix("segment-") && name.contains("0\(position.segment).") {
            var bytes = Scratch.read(self.scratch.file(name))
            bytes[position.offset + Int.random(in: 2..<32, using: &self.random)] ^= 0x10
            Scratch.write(bytes, to: self.scratch.file(name))
        }
    }

    private func compare(_ log: JournalLog, _ context: Comment) throws {
        try #require(log.open() == self.model.map(\.entry), context)
        for known in self.model {
            let view = log.record(at: known.position)
            #expect(view?.sequence == known.entry.sequence && view?.state.rawValue == known.entry.state, context)
            guard let key = known.key else { continue }
            let definition = log.definition(Self.key(key), in: known.position.segment)
            #expect(definition.map { $0.loadUnaligned(as: UInt64.self) } == UInt64(key), context)
        }
    }

    private static func key(_ number: Int) -> JournalKey { JournalKey(high: 0xFEED, low: UInt64(number)) }
}
