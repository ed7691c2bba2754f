import Operations
import Testing

/// Whether a load runs, and what it may be told.
struct LoaderRunTests {
    static func run(in state: LoaderRun.State) throws -> LoaderRun {
        var run = LoaderRun()
        guard state != .idle else { return run }
        try run.start(.table(keyspace: "shop", table: "orders"))
        switch state {
        case .idle, .running: break
        case .paused: _ = try run.perform(.pause)
        case .stopping: _ = try run.perform(.stop)
        case .done: run.ended(.done)
        case .stopped: run.ended(.stopped)
        case .failed: run.ended(.failed(reason: "why"))
        }
        #expect(run.state == state)
        return run
    }

    @Test(arguments: LoaderRun.State.allCases)
    func `a load begins only where none is active, and indexes are changed only there`(state: LoaderRun.State) throws {
        var run = try Self.run(in: state)
        let before = run
        guard state.isActive else {
            try run.checkMayChangeIndexes()
            try run.start(.everything)
            #expect(run.state == .running && run.subject == .everything && run.reason == nil)
            return
        }
        #expect { try run.start(.everything) } throws: { error in
            guard let error = error as? AdminError else { return false }
            return error.code == .alreadyRunning && error.message == "A load of shop.orders is \(state.rawValue)."
        }
        #expect(throws: AdminError.self) { try run.checkMayChangeIndexes() }
        #expect(run == before)
    }

    @Test(arguments: LoaderRun.State.allCases, LoaderAction.Verb.allCases)
    func `what is asked for happens, is so already, or is refused`(
        state: LoaderRun.State,
        verb: LoaderAction.Verb
    ) throws {
        var run = try Self.run(in: state)
        let before = run
        let expected: [LoaderRun.State: [LoaderAction.Verb: LoaderRun.State]] = [
            .running: [.stop: .stopping, .pause: .paused, .resume: .running],
            .paused: [.stop: .stopping, .pause: .paused, .resume: .running],
            .stopping: [.stop: .stopping],
        ]
        if let next = expected[state]?[verb] {
            #expect(try run.perform(verb) == (next != state))
            #expect(run.state == next)
        } else {
            #expect { try run.perform(verb) } throws: { ($0 as? AdminError)?.code == .notRunning }
            #expect(run == before)
        }
    }

    @Test func `a failed load says why until the next start`() throws {
        var run = try Self.run(in: .failed)
        #expect(run.reason == "why")
        try run.start(.everything)
        #expect(run.reason == nil)
    }
}
