import Logging
import Operations
import Synchronization
import TestSupport
import Testing

@testable import ClusterSync
@testable import DualWriter

/// What a running sidecar logs, changed for a while.
struct RunningLogTests {
    private static func change(_ edit: (inout LogsChange) -> Void) -> LogsChange {
        var change = LogsChange(by: "test")
        edit(&change)
        return change
    }

    @Test func `a change holds for its time, and then the configuration`() async throws {
        let (log, sink) = (RecordedLog(), LogSink(descriptor: -1))
        let requests = Mutex<[RequestLogSettings]>([])
        let configured = LogSettings(level: .notice, requests: RequestLogSettings())
        let running = RunningLog(configured, sink: sink, logger: log.logger) { settings in
            requests.withLock { $0.append(settings) }
        }
        _ = try await running.change(
            Self.change {
                $0.level = "debug"
                $0.oneIn = 10
                $0.seconds = 1
            }
        )
        #expect(sink.level == .debug)
        let during = await running.logs()
        #expect(during.level == "debug" && during.requests.oneIn == 10 && during.until != nil)
        #expect(during.configuredLevel == "notice")
        await running.timeIsOver()
        #expect(sink.level == .notice)
        #expect(log.lines("what is logged is as configured again").count == 1)
        let after = await running.logs()
        #expect(after.level == "notice" && after.requests.oneIn == 0 && after.until == nil)
        #expect(requests.withLock { $0.map(\.oneIn) } == [10, 0])
    }

    @Test func `a change for good, and back`() async throws {
        let sink = LogSink(descriptor: -1)
        let running = RunningLog(LogSettings(), sink: sink, logger: RecordedLog().logger) { _ in }
        _ = try await running.change(
            Self.change {
                $0.slowerThanMs = 20
                $0.seconds = 0
            }
        )
        let changed = await running.logs()
        #expect(changed.until == nil && changed.requests.slowerThanMs == 20)
        _ = try await running.change(Self.change { $0.reset = true })
        let back = await running.logs()
        #expect(back.requests == back.configuredRequests)
    }

    @Test func `requests that the level leaves out are not asked for`() async throws {
        let sink = LogSink(descriptor: -1)
        let running = RunningLog(LogSettings(level: .warning), sink: sink, logger: RecordedLog().logger) { _ in }
        await #expect(throws: AdminError.self) { _ = try await running.change(Self.change { $0.oneIn = 1 }) }
        #expect(await running.logs().requests.oneIn == 0)
    }

    @Test func `a service without requests has a level only`() async throws {
        let sink = LogSink(descriptor: -1)
        let running = RunningLog(LogSettings(), sink: sink, logger: RecordedLog().logger)
        let error = await #expect(throws: AdminError.self) {
            _ = try await running.change(Self.change { $0.traced = true })
        }
        #expect(error?.message.contains("only a sidecar") == true)
        let document = try await running.change(Self.change { $0.level = "error" })
        #expect(document.level == "error" && sink.level == .error)
    }
}
