import DualWriteCore
import ShadowJournal
import Synchronization
import SystemPackage
import Testing

@testable import DualWriter

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The partitions in doubt, and how many they are.
struct DirtySetTests {
    private func withFolder(_ body: (FilePath) throws -> Void) throws {
        var template = Array("/tmp/cluster-sync-dirty-XXXXXX".utf8CString)
        let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { _ = system("rm -rf '\(folder)'") }
        try body(FilePath(folder))
    }

    private static func place(_ table: String, _ key: [UInt8]?) -> DirtyPartition.Place {
        DirtyPartition.Place(keyspace: "ks", table: table, key: key)
    }

    /// The numbers that are kept against those that are counted anew.
    private static func expectCounts(_ dirty: DirtySet, sourceLocation: SourceLocation = #_sourceLocation) {
        for cluster in Cluster.allCases {
            var counted: [DoubtReason: Int] = [:]
            for partition in dirty.partitions(max: .max, on: cluster) { counted[partition.reason, default: 0] += 1 }
            #expect(dirty.counts(on: cluster).filter { $0.value != 0 } == counted, sourceLocation: sourceLocation)
        }
    }

    @Test func `each partition counts once, with its gravest reason, also after a restart`() throws {
        try self.withFolder { folder in
            let store = try ShadowStore(folder)
            for reason in [DoubtReason.conditional, .primaryUnknown, .conditional, .restart, .journalFull] {
                store.dirty.mark(Self.place("t", [1]), on: .target, reason, at: 1)
                Self.expectCounts(store.dirty)
            }
            store.dirty.mark(Self.place("t", [1]), on: .source, .conditional, at: 2)
            store.dirty.mark(Self.place("t", [2]), on: .target, .conditional, at: 3)
            store.dirty.mark(Self.place("t", nil), on: .target, .lifeUnclear, at: 4)
            store.dirty.mark(Self.place("u", [1]), on: .target, .conditional, at: 5)
            #expect(store.dirty.counts(on: .target)[.restart] == 1)
            #expect(store.dirty.counts(on: .target)[.conditional] == 2)
            store.close()

            let next = try ShadowStore(folder)
            Self.expectCounts(next.dirty)
            #expect(next.dirty.partitions(max: 2, on: .target).map(\.since) == [1, 3])
            #expect(next.dirty.clear(on: .target, table: Self.place("t", nil)) == 3)
            Self.expectCounts(next.dirty)
            #expect(next.dirty.clear(on: .target) == 1)
            Self.expectCounts(next.dirty)
            #expect(next.dirty.counts(on: .source)[.conditional] == 1)
            next.close()
        }
    }

    @Test func `without room the table takes the place of its partitions, and the numbers follow`() throws {
        try self.withFolder { folder in
            var configuration = ShadowStore.Configuration()
            configuration.dirtyBytesMax = 1 << 20
            let store = try ShadowStore(folder, configuration)
            let key = [UInt8](repeating: 7, count: 60_000)
            for number in 0..<40 {
                store.dirty.mark(Self.place("t", [UInt8(number)] + key), on: .target, .journalFull, at: 1)
                Self.expectCounts(store.dirty)
            }
            #expect(store.dirty.partitions(max: .max).contains { $0.place == Self.place("t", nil) })
            #expect((store.dirty.counts(on: .target)[.journalFull] ?? 0) < 40)
            store.close()
        }
    }

    @Test func `partitions for which there is no room make their table doubtful, also after a restart`() throws {
        try self.withFolder { folder in
            var configuration = ShadowStore.Configuration()
            configuration.dirtyBytesMax = 1 << 20
            let store = try ShadowStore(folder, configuration)
            store.dirty.mark(Self.place("t", [0xff]), on: .target, .journalFull, at: 1)
            var number = 0
            // One entry is left when the table has taken the place of its partitions.
            while number < 2 || store.dirty.counts(on: .target).values.reduce(0, +) > 1, number < 100_000 {
                number += 1
                let key = withUnsafeBytes(of: number) { Array($0) }
                store.dirty.mark(Self.place("t", key), on: .target, .conditional, at: 2)
            }
            // The gravest of what the table's partitions were in doubt for.
            let whole = try #require(store.dirty.partitions(max: .max).first)
            #expect(whole.place == Self.place("t", nil) && whole.reason == .journalFull && whole.since == 2)
            #expect(store.dirty.partitions(max: .max).count == 1)
            store.dirty.mark(Self.place("u", nil), on: .source, .restart, at: 3)
            Self.expectCounts(store.dirty)
            store.close()
            let again = try ShadowStore(folder, configuration)
            #expect(again.dirty.partitions(max: .max).map(\.place) == [Self.place("t", nil), Self.place("u", nil)])
            Self.expectCounts(again.dirty)
            again.close()
        }
    }

    /// A store on a disk that has room or has none.
    private static func configuration(_ isFull: @escaping @Sendable () -> Bool) -> ShadowStore.Configuration {
        var configuration = ShadowStore.Configuration()
        configuration.reserveBlocks = { isFull() ? ENOSPC : posix_fallocate($0, 0, off_t($1)) }
        return configuration
    }

    @Test func `what is in doubt when the disk is full is so after any number of restarts`() throws {
        try self.withFolder { folder in
            let isFull = Mutex(false)
            let configuration = Self.configuration { isFull.withLock { $0 } }
            // Each process finds room at its start and none when it needs some.
            for life in 0..<8 {
                isFull.withLock { $0 = false }
                let store = try ShadowStore(folder, configuration)
                Self.expectCounts(store.dirty)
                isFull.withLock { $0 = true }
                store.dirty.mark(Self.place("t\(life)", [1]), on: .target, .shadowUnknown, at: Int64(life))
                store.close()
            }
            isFull.withLock { $0 = false }
            let store = try ShadowStore(folder, configuration)
            #expect(store.dirty.partitions(max: .max).map(\.place) == (0..<8).map { Self.place("t\($0)", nil) })
            #expect(store.dirty.clear(on: .target) == 8)
            store.close()
            let cleared = try ShadowStore(folder, configuration)
            #expect(cleared.dirty.partitions(max: .max).isEmpty)
            cleared.close()
        }
    }

    @Test func `partitions keep their place on the disk where their table has none`() throws {
        try self.withFolder { folder in
            let isFull = Mutex(false)
            let configuration = Self.configuration { isFull.withLock { $0 } }
            let store = try ShadowStore(folder, configuration)
            store.dirty.mark(Self.place("t", [1]), on: .target, .shadowUnknown, at: 1)
            isFull.withLock { $0 = true }
            // Other tables take the room of tables, then other partitions that of partitions.
            for number in 0..<200 {
                let name = String(repeating: "n", count: number < 70 ? 4_000 : 1) + "\(number)"
                store.dirty.mark(Self.place(name, nil), on: .target, .restart, at: 2)
            }
            for number in 0..<20 {
                let key = [UInt8(number)] + [UInt8](repeating: 7, count: 60_000)
                store.dirty.mark(Self.place("t", key), on: .target, .restart, at: 3)
            }
            Self.expectCounts(store.dirty)
            store.close()
            isFull.withLock { $0 = false }
            let next = try ShadowStore(folder, configuration)
            #expect(next.dirty.partitions(max: .max).contains { $0.place == Self.place("t", [1]) })
            next.close()
        }
    }

    @Test func `what was put into doubt again since it was looked at stays, also for a lesser reason`() throws {
        try self.withFolder { folder in
            let store = try ShadowStore(folder)
            for key in [1, 2, 3] as [UInt8] {
                store.dirty.mark(Self.place("t", [key]), on: .target, .journalFull, at: Int64(key))
            }
            store.dirty.mark(Self.place("t", nil), on: .target, .lifeUnclear, at: 4)
            store.dirty.mark(Self.place("u", [1]), on: .target, .journalFull, at: 5)
            store.dirty.mark(Self.place("t", [1]), on: .source, .journalFull, at: 6)
            let seen = store.dirty.partitions(of: Self.place("t", nil), on: .target, after: 0, max: 10)
            #expect(seen.map(\.place.key) == [[1], [2], [3], nil])
            #expect(Set(seen.map(\.mark)).count == 4)
            let behind = store.dirty.partitions(of: Self.place("t", nil), on: .target, after: seen[1].mark, max: 1)
            #expect(behind.map(\.place.key) == [[3]])

            store.dirty.mark(Self.place("t", [2]), on: .target, .conditional, at: 7)
            #expect(store.dirty.clear(on: .source, marks: Set(seen.map(\.mark))) == 0)
            #expect(store.dirty.clear(on: .target, marks: Set(seen.map(\.mark))) == 3)
            #expect(store.dirty.clear(on: .target, marks: Set(seen.map(\.mark))) == 0)
            let left = store.dirty.partitions(of: Self.place("t", nil), on: .target, after: 0, max: 10)
            #expect(left.map(\.place.key) == [[2]] && left.map(\.reason) == [.journalFull])
            Self.expectCounts(store.dirty)
            store.close()

            let next = try ShadowStore(folder)
            #expect(next.dirty.partitions(max: 10).count == 3, "what was cleared does not come back")
            #expect(next.dirty.clear(on: .target, marks: Set(left.map(\.mark))) == 0, "marks are of one process")
            next.close()
        }
    }
}
