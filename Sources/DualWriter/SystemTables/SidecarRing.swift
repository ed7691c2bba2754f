import NIOCore

/// The sidecars that applications see as the hosts of one cluster, each with a part of the ring of its own, so that drivers
/// spread their requests over all of them.
struct SidecarRing: Sendable {
    /// In the order of their addresses, which is the same on each of them.
    let members: [SocketAddress]

    init(_ members: [SocketAddress]) {
        self.members = Set(members).sorted { Self.sortKey($0) < Self.sortKey($1) }
    }

    private static func sortKey(_ address: SocketAddress) -> String {
        "\(address.ipAddress ?? ""):\(address.port ?? 0)"
    }

    /// Where a member's part of the ring ends (Murmur3: from `Int64.min` to `Int64.max`); nil for somebody else.
    func token(of address: SocketAddress) -> Int64? {
        guard let index = self.members.firstIndex(of: address) else { return nil }
        let part = UInt64.max / UInt64(self.members.count)
        return Int64(truncatingIfNeeded: UInt64(bitPattern: Int64.min) &+ UInt64(index) &* part)
    }

    /// The members besides one.
    func others(than address: SocketAddress?) -> [SocketAddress] { self.members.filter { $0 != address } }
}
