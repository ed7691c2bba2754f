/// Whether a loop has taken on as many bytes of its clients as it should hold at once.
///
/// No client that waits for an answer is read from then, until half of them are answered: the clients' own sockets fill up, and
/// they slow down instead of being refused.
struct ClientPressure {
    private let bytesMax: Int
    private var bytes = 0
    /// Whether reading rests.
    private(set) var isHigh = false

    /// - Parameter bytesMax: the bytes of requests that clients wait for, at which reading rests. What was read with them is
    ///   still taken on.
    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// A request was taken on.
    @inline(__always)
    mutating func took(_ bytes: Int) {
        self.bytes += bytes
        if self.bytes > self.bytesMax { self.isHigh = true }
    }

    /// A client has its answer, or waits no more.
    ///
    /// - Returns: whether reading may begin again.
    @inline(__always)
    mutating func letGo(of bytes: Int) -> Bool {
        self.bytes -= bytes
        guard self.isHigh, self.bytes <= self.bytesMax / 2 else { return false }
        self.isHigh = false
        return true
    }
}
