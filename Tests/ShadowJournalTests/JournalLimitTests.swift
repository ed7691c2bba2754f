import ShadowJournal
import SystemPackage
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

struct JournalLimitTests {
    let scratch = Scratch()

    @Test func `a full log says so and goes on when something was finished`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let log = try directory.openLog(named: "target-0", configuration: small(bytesMax: 3 * 4_096))
        let payload = [UInt8](repeating: 1, count: 1_000)
        var positions: [JournalPosition] = []
        while case .success = log.reserve(JournalLog.byteCount(ofRecord: 1_000), now: 0) {
            positions.append(payload.withUnsafeBytes { log.append(kind: 0, state: .waiting, time: 0, $0) })
        }
        #expect(positions.count == 9 && log.diskBytes == 3 * 4_096)
        #expect(log.reserve(JournalLog.byteCount(ofRecord: 1_000), now: 0) == .failure(.full(bytesMax: 3 * 4_096)))
        let small = try log.add([1, 2, 3])
        #expect(small.segment == positions[8].segment, "what still fits is taken")
        for position in positions[3..<6] { log.setState(.finished, at: position) }
        let next = try log.add(payload)
        #expect(next > small && log.diskBytes == 3 * 4_096)
        #expect(log.open().count == 8)
    }

    @Test func `a limit of one segment works for a shadow that keeps up`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let log = try directory.openLog(named: "target-0", configuration: small(bytesMax: 4_096))
        for _ in 0..<100 { log.setState(.finished, at: try log.add([UInt8](repeating: 1, count: 500))) }
        #expect(log.diskBytes == 4_096 && log.lastSequence == 100)
    }

    @Test func `spare files give way to a long record`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let log = try directory.openLog(named: "target-0", configuration: small(bytesMax: 6 * 4_096))
        let positions = try (0..<15).map { _ in try log.add([UInt8](repeating: 1, count: 1_000)) }
        for position in positions { log.setState(.finished, at: position) }
        _ = try log.add([UInt8](repeating: 1, count: 5 * 4_096 - 1_000))
        #expect(log.diskBytes <= 6 * 4_096)
        #expect(log.reserve(6 * 4_096, now: 0) == .failure(.full(bytesMax: 6 * 4_096)))
    }

    @Test func `files are short while little is owed and grow with the backlog`() throws {
        let log = try JournalDirectory(at: self.scratch.journal).openLog(named: "target-0")
        let payload = [UInt8](repeating: 1, count: 100_000)
        let short = JournalLimits.shortSegmentBytes
        for _ in 0..<1_000 { log.setState(.finished, at: try log.add(payload)) }
        #expect(log.diskBytes == short, "a shadow that keeps up needs one file")
        let positions = try (0..<1_500).map { _ in try log.add(payload) }
        #expect(log.bytes == 150_000_000 && self.scratch.files().count < 16, "\(self.scratch.files().count)")
        for position in positions { log.setState(.finished, at: position) }
        for _ in 0..<1_000 { log.setState(.finished, at: try log.add(payload)) }
        #expect(log.diskBytes <= (1 + JournalLimits.spareSegmentsMax) * short, "\(log.diskBytes)")
    }

    @Test func `a record above the limit is refused whatever the log's size`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let log = try directory.openLog(named: "target-0", configuration: JournalConfiguration())
        let max = JournalLimits.payloadBytesMax
        #expect(log.reserve(JournalLog.byteCount(ofRecord: max + 1), now: 0) == .failure(.tooLong(bytesMax: max)))
        #expect(self.scratch.files() == [])
    }

    @Test func `a full disk is asked again once a second`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let calls = Mutex(0)
        let isFull = Mutex(true)
        var configuration = small()
        configuration.reserveBlocks = { descriptor, length in
            calls.withLock { $0 += 1 }
            return isFull.withLock { $0 } ? ENOSPC : posix_fallocate(descriptor, 0, off_t(length))
        }
        let log = try directory.openLog(named: "target-0", configuration: configuration)
        for now in [Int64(10_000), 10_500, 10_999] {
            #expect(log.reserve(100, now: now) == .failure(.diskFull(errno: ENOSPC)))
        }
        #expect(calls.withLock { $0 } == 1 && self.scratch.files() == [], "no half-made file is left")
        #expect(log.reserve(100, now: 11_000) == .failure(.diskFull(errno: ENOSPC)))
        #expect(calls.withLock { $0 } == 2)
        isFull.withLock { $0 = false }
        #expect(log.reserve(100, now: 11_500) == .failure(.diskFull(errno: ENOSPC)))
        _ = try log.reserve(100, now: 12_000).get()
        #expect(log.diskBytes == 4_096)
        // A clock that was set back does not silence the log.
        isFull.withLock { $0 = true }
        #expect(log.reserve(5_000, now: 13_000) == .failure(.diskFull(errno: ENOSPC)))
        isFull.withLock { $0 = false }
        _ = try log.reserve(5_000, now: 100).get()
    }

    @Test func `a disk that is really full refuses, and what was reserved can be written`() throws {
        let mount = self.scratch.path + "/disk"
        mkdir(mount, 0o700)
        guard geteuid() == 0, mountSmallDisk(mount) else { return }
        defer { umount2(mount, Int32(2)) }
        let directory = try JournalDirectory(at: mount + "/journal")
        let log = try directory.openLog(named: "target-0", configuration: JournalConfiguration(segmentBytes: 65_536))
        var count = 0
        var refusal: JournalRefusal?
        let payload = [UInt8](repeating: 1, count: 1_000)
        while refusal == nil, count < 2_000 {
            switch log.reserve(JournalLog.byteCount(ofRecord: 1_000), now: 0) {
            case .success:
                _ = payload.withUnsafeBytes { log.append(kind: 0, state: .waiting, time: 0, $0) }
                count += 1
            case .failure(let reason): refusal = reason
            }
        }
        #expect(refusal == .diskFull(errno: ENOSPC) && count > 100)
        #expect(log.open().count == count)
        log.close()
        try directory.close()
        let again = try JournalDirectory(at: mount + "/journal")
        #expect(try again.openLog(named: "target-0").openRecords == count, "a full disk does not stop a restart")
    }
}

/// Mounts a memory disk of 1 MiB; false where that is not allowed.
private func mountSmallDisk(_ path: String) -> Bool { mount("tmpfs", path, "tmpfs", 0, "size=1m") == 0 }
