import Logging

/// Holds back lines that say the same again and again: a few of them in a while are written, the others counted.
struct LogRepeats {
    /// What makes lines the same: all but what they say in detail.
    struct Key: Hashable {
        let level: Logger.Level
        let label: String
        let message: String
    }

    /// What happens to a line.
    enum Verdict: Equatable {
        case write
        case holdBack
        /// It is the first one that is held back: after ``windowNanoseconds`` somebody should ask for ``due(now:)``.
        case holdBackAndAsk
    }

    /// Lines that were held back.
    struct Held: Equatable {
        let key: Key
        let count: Int
    }

    private struct Window {
        let began: Int64
        var written = 1
        var heldBack = 0
    }

    /// Lines of one kind that are written in a window.
    static var linesMax: Int { 10 }
    static var windowNanoseconds: Int64 { 10_000_000_000 }
    /// Kinds that are counted at once; where there are more, those begin anew that have written nothing for the longest time.
    static var kindsMax: Int { 256 }

    private var windows: [Key: Window] = [:]

    /// - Parameter now: nanoseconds of a clock that never goes back.
    mutating func note(_ key: Key, now: Int64) -> Verdict {
        guard var window = self.windows[key], now - window.began < Self.windowNanoseconds else {
            // What was held back in the window that is over is said by whoever was told to ask.
            let heldBack = self.windows[key]?.heldBack ?? 0
            if self.windows[key] == nil, self.windows.count >= Self.kindsMax { self.makeRoom() }
            self.windows[key] = Window(began: now, heldBack: heldBack)
            return .write
        }
        defer { self.windows[key] = window }
        if window.written < Self.linesMax {
            window.written += 1
            return .write
        }
        window.heldBack += 1
        return window.heldBack == 1 ? .holdBackAndAsk : .holdBack
    }

    /// What was held back in windows that are over, once.
    mutating func due(now: Int64) -> [Held] {
        var held: [Held] = []
        for (key, window) in self.windows where now - window.began >= Self.windowNanoseconds {
            if window.heldBack > 0 { held.append(Held(key: key, count: window.heldBack)) }
            self.windows[key] = nil
        }
        return held.sorted { $0.key.message < $1.key.message }
    }

    /// Forgets the oldest window of which nothing is left to say, or the oldest one.
    private mutating func makeRoom() {
        let quiet = self.windows.filter { $0.value.heldBack == 0 }
        let oldest = (quiet.isEmpty ? self.windows : quiet).min { $0.value.began < $1.value.began }
        if let oldest { self.windows[oldest.key] = nil }
    }
}
