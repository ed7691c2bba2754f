import NIOCore

extension UpstreamConnection {
    /// The shards of the node, and the one that this connection ends at; nil where it has not told of any.
    var sharding: Sharding? { self.handshake.sharding }

    /// The addresses of both ends; nil when there is no connection any more.
    var addresses: (local: SocketAddress, remote: SocketAddress)? {
        guard let channel = self.context?.channel, let local = channel.localAddress, let remote = channel.remoteAddress
        else {
            return nil
        }
        return (local, remote)
    }
}
