public import NIOCore

/// An IPv4 or IPv6 address (native protocol v4 §3, [inetaddr]).
public struct InetAddress: Hashable, Sendable {
    /// Its 4 or 16 bytes.
    public let bytes: ByteBuffer

    /// An address of 4 or 16 bytes; nil for any other size.
    public init?(_ bytes: ByteBuffer) {
        guard bytes.readableBytes == 4 || bytes.readableBytes == 16 else { return nil }
        self.bytes = bytes
    }
}

/// An address with a port (native protocol v4 §3, [inet]).
public struct InetEndpoint: Hashable, Sendable {
    /// The address.
    public var address: InetAddress
    /// The port.
    public var port: Int32

    /// An endpoint of known parts.
    public init(address: InetAddress, port: Int32) {
        self.address = address
        self.port = port
    }
}
