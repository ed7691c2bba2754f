import DualWriteCore
import FoundationEssentials
import Operations
import Testing

@testable import ClusterSync

struct PhaseStoreTests {
    private static let state = PhaseState(
        mode: .dualWriteSync,
        epoch: 2,
        history: [
            PhaseRecord(
                at: "2026-11-24T12:00:00Z",
                from: "DualWriteAsync",
                to: "DualWriteSync",
                epoch: 2,
                by: "admin 127.0.0.1",
                reason: "lag is zero",
                forced: false
            )
        ]
    )

    @Test func `a new folder is made and knows no mode`() throws {
        try withTemporaryFolder { path in
            let store = PhaseStore(folder: try StateFolder(path: path + "/a/b"))
            #expect(try store.load() == nil)
        }
    }

    @Test func `what was saved is there for the next process`() throws {
        try withTemporaryFolder { path in
            try PhaseStore(folder: StateFolder(path: path)).save(Self.state)
            let loaded = try #require(try PhaseStore(folder: StateFolder(path: path)).load())
            #expect(loaded.state == Self.state)
            #expect(loaded.remark == nil)
        }
    }

    @Test(arguments: [PhaseStore.name, PhaseStore.copyName])
    func `a torn file is passed over, at whatever byte it was torn`(name: String) throws {
        try withTemporaryFolder { path in
            let store = PhaseStore(folder: try StateFolder(path: path))
            try store.save(Self.state)
            let whole = try #require(FileManager.default.contents(atPath: "\(path)/\(name)"))
            for length in stride(from: 0, to: whole.count - 2, by: 7) {
                try whole.prefix(length).write(to: URL(filePath: "\(path)/\(name)"))
                let loaded = try #require(try store.load())
                #expect(loaded.state == Self.state)
                #expect(loaded.remark?.hasPrefix("\(name) is damaged") == true)
            }
        }
    }

    @Test func `after a crash between the two writes the higher epoch counts`() throws {
        try withTemporaryFolder { path in
            let store = PhaseStore(folder: try StateFolder(path: path))
            try store.save(Self.state)
            let old = try #require(FileManager.default.contents(atPath: "\(path)/\(PhaseStore.name)"))
            var newer = Self.state
            newer.mode = .shadowPrimary
            newer.epoch = 3
            try store.save(newer)
            try old.write(to: URL(filePath: "\(path)/\(PhaseStore.name)"))
            #expect(try store.load()?.state == newer)
        }
    }

    @Test func `two damaged files stop the start instead of guessing a mode`() throws {
        try withTemporaryFolder { path in
            let store = PhaseStore(folder: try StateFolder(path: path))
            for name in [PhaseStore.name, PhaseStore.copyName] {
                try Data("{".utf8).write(to: URL(filePath: "\(path)/\(name)"))
            }
            let error = #expect(throws: StateError.self) { try store.load() }
            #expect(error?.code == .damaged)
        }
    }

    @Test func `a left over temporary file does no harm`() throws {
        try withTemporaryFolder { path in
            let store = PhaseStore(folder: try StateFolder(path: path))
            try store.save(Self.state)
            try Data("torn".utf8).write(to: URL(filePath: "\(path)/\(PhaseStore.name).tmp"))
            #expect(try store.load()?.state == Self.state)
            try store.save(Self.state)
        }
    }

    @Test func `a folder has one owner at a time`() throws {
        try withTemporaryFolder { path in
            let first = try StateFolder(path: path)
            let error = #expect(throws: StateError.self) { try StateFolder(path: path) }
            #expect(error?.code == .locked)
            withExtendedLifetime(first) {}
        }
    }

    @Test func `the trail keeps the latest changes only`() throws {
        try withTemporaryFolder { path in
            let store = PhaseStore(folder: try StateFolder(path: path))
            var state = Self.state
            let record = Self.state.history[0]
            state.history = Array(repeating: record, count: PhaseState.historyMax + 5)
            try store.save(state)
            #expect(try store.load()?.state.history.count == PhaseState.historyMax)
        }
    }
}
