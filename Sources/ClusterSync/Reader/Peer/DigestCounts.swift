import DualReader

/// What a report says of digests: how much went over the wire, and how much would have.
struct DigestCounts: Encodable, Sendable, Equatable {
    /// Bytes that went between both readers.
    var peerBytes: Int
    /// Bytes of the rows of both clusters that were read from here as their digests differed.
    var openedBytes: Int
    /// Bytes of the rows that both readers have read near their clusters: reading both from here would have sent them.
    var digestedBytes: Int
    /// Ranges that were opened; neighbours count as one.
    var rangesOpened: Int
    /// Ranges that were read in full, as the peer did not answer.
    var rangesWithoutPeer: Int

    /// Nil where there was no peer.
    init?(_ tally: CompareTally) {
        guard tally.peerBytes > 0 || tally.rangesWithoutPeer > 0 else { return nil }
        self.peerBytes = tally.peerBytes
        self.openedBytes = tally.openedBytes
        self.digestedBytes = tally.digestedBytes
        self.rangesOpened = tally.rangesOpened
        self.rangesWithoutPeer = tally.rangesWithoutPeer
    }
}

extension CompareText {
    /// What was saved by digests; nil where there was no peer.
    static func digests(_ tally: CompareTally) -> String? {
        guard let counts = DigestCounts(tally) else { return nil }
        var words = [
            "by digests: \(Human.many(counts.peerBytes, "byte")) between the readers",
            "\(Human.many(counts.openedBytes, "byte")) of rows in \(Human.many(counts.rangesOpened, "range")) that differed",
            "where reading both sends \(Human.count(counts.digestedBytes))",
        ]
        if counts.rangesWithoutPeer > 0 {
            words.append("\(Human.many(counts.rangesWithoutPeer, "range")) without the peer")
        }
        return words.joined(separator: ", ")
    }
}
