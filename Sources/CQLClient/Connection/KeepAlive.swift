public import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Signs of life at the level of TCP: a peer that is gone without a word (a machine that lost its power, a path that was cut) is
/// found within two minutes, where the system's own default is two hours.
public enum KeepAlive {
    /// Silence before the first question, in seconds.
    static var idleSeconds: Int32 { 60 }
    /// The time between questions, in seconds.
    static var intervalSeconds: Int32 { 10 }
    /// Questions without an answer after which the connection is closed.
    static var probes: Int32 { 6 }

    /// Sets it up on a connected socket. On its loop.
    public static func start(on channel: any Channel) throws {
        guard let options = channel.syncOptions else { return }
        try options.setOption(.socketOption(.so_keepalive), value: 1)
        #if os(Linux)
        for (name, value) in [
            (TCP_KEEPIDLE, Self.idleSeconds), (TCP_KEEPINTVL, Self.intervalSeconds), (TCP_KEEPCNT, Self.probes),
        ] {
            let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: name))
            try options.setOption(option, value: SocketOptionValue(value))
        }
        #endif
    }
}
