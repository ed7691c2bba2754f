import NIOCore

/// Takes server-sent events apart: the data of each, as it comes in over any number of pieces.
/// https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
struct ServerSentEvents {
    /// More than this in one event, in bytes, is no event of ours.
    static var eventBytesMax: Int { 4 << 20 }

    struct TooLong: Error {}

    private var line: [UInt8] = []
    private var data: [UInt8] = []

    /// The data of the events that end within `bytes`.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                guard self.line.count + self.data.count < Self.eventBytesMax else { throw TooLong() }
                self.line.append(byte)
                continue
            }
            if self.line.last == UInt8(ascii: "\r") { self.line.removeLast() }
            if self.line.isEmpty {
                if !self.data.isEmpty { events.append(self.data) }
                self.data = []
            } else if self.line.starts(with: "data:".utf8) {
                let value = self.line.dropFirst(5)
                if !self.data.isEmpty { self.data.append(UInt8(ascii: "\n")) }
                self.data += value.first == UInt8(ascii: " ") ? value.dropFirst() : value
            }
            self.line.removeAll(keepingCapacity: true)
        }
        return events
    }
}
