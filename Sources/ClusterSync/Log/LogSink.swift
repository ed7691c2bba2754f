import Logging
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Where the log of a process goes: a file descriptor, with the level in force and what was held back. Thread-safe.
///
/// It never waits for whoever reads the log: lines come from the threads that serve applications. What the descriptor does not
/// take at once is dropped and counted, and said when it takes lines again.
final class LogSink: Sendable {
    /// The standard error of this process.
    static let standardError = LogSink(descriptor: STDERR_FILENO)

    private struct State {
        var repeats = LogRepeats()
        var dropped: UInt64 = 0
        /// Of these, those that were not said yet.
        var unsaid: UInt64 = 0
        var heldBack: UInt64 = 0
    }

    private let descriptor: CInt
    private let levelNumber = Atomic(LogSink.number(of: .info))
    private let state = Mutex(State())

    init(descriptor: CInt) { self.descriptor = descriptor }

    /// The least severe level that is written.
    var level: Logger.Level {
        get { Logger.Level.allCases[self.levelNumber.load(ordering: .relaxed)] }
        set { self.levelNumber.store(Self.number(of: newValue), ordering: .relaxed) }
    }

    private static func number(of level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }

    /// Lines that the descriptor did not take since the process began.
    var dropped: UInt64 { self.state.withLock { $0.dropped } }
    /// Lines that were held back because they said the same as others.
    var heldBack: UInt64 { self.state.withLock { $0.heldBack } }

    /// Writes a line, unless the same was said often enough.
    func log(_ line: LogLine, as format: LogFormat) {
        // Lines about single requests have a limit of their own. Notices say what somebody has done: each says something else.
        guard line.metadata["request"] == nil, line.level != .notice else {
            self.state.withLock { self.write(line, as: format, &$0) }
            return
        }
        let key = LogRepeats.Key(level: line.level, label: line.label, message: line.message)
        let verdict = self.state.withLock { state in
            let verdict = state.repeats.note(key, now: Self.nanoseconds)
            if verdict == .write { self.write(line, as: format, &state) } else { state.heldBack += 1 }
            return verdict
        }
        guard verdict == .holdBackAndAsk else { return }
        Task.detached {
            try? await Task.sleep(for: .nanoseconds(LogRepeats.windowNanoseconds))
            self.sayHeldBack(format)
        }
    }

    private func sayHeldBack(_ format: LogFormat) {
        self.state.withLock { state in
            for held in state.repeats.due(now: Self.nanoseconds) {
                let line = LogLine(
                    at: Timestamp.now(),
                    level: held.key.level,
                    label: held.key.label,
                    message: held.key.message,
                    metadata: ["held-back": "\(held.count)"]
                )
                self.write(line, as: format, &state)
            }
        }
    }

    private func write(_ line: LogLine, as format: LogFormat, _ state: inout State) {
        guard self.takesALine else {
            state.dropped += 1
            state.unsaid += 1
            return
        }
        if state.unsaid > 0 {
            let news = LogLine(
                at: line.at,
                level: .warning,
                label: line.label,
                message: "lines of the log are lost: nobody took them",
                metadata: ["lines": "\(state.unsaid)"]
            )
            state.unsaid = 0
            self.put(news.text(as: format), &state)
            // What is free of a pipe was enough for one line.
            guard self.takesALine else {
                state.dropped += 1
                state.unsaid += 1
                return
            }
        }
        self.put(line.text(as: format), &state)
    }

    /// Whether a line of any permitted length can be written without waiting: of a pipe, whether `PIPE_BUF` bytes are free.
    private var takesALine: Bool {
        var asked = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&asked, 1, 0) == 1 && asked.revents & Int16(POLLOUT) != 0
    }

    private func put(_ line: String, _ state: inout State) {
        var line = line
        let written = line.withUTF8 { bytes in
            #if canImport(Glibc)
            Glibc.write(self.descriptor, bytes.baseAddress, bytes.count)
            #elseif canImport(Musl)
            Musl.write(self.descriptor, bytes.baseAddress, bytes.count)
            #else
            Darwin.write(self.descriptor, bytes.baseAddress, bytes.count)
            #endif
        }
        if written < 0 {
            state.dropped += 1
            state.unsaid += 1
        }
    }

    private static var nanoseconds: Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - Self.origin).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    private static let origin = ContinuousClock.now
}
