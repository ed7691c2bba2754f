import DualWriteCore
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Clusters that somebody runs for the tests: CLUSTER_SYNC_TEST_SOURCE and CLUSTER_SYNC_TEST_TARGET, address:port each.
struct RealClusters {
    struct Place {
        let host: String
        let port: Int
        let address: SocketAddress
    }

    private let source: Place
    private let target: Place

    subscript(cluster: Cluster) -> Place { cluster == .source ? self.source : self.target }

    /// Nil where they are not named.
    static let both: RealClusters? = {
        guard let source = place("CLUSTER_SYNC_TEST_SOURCE"), let target = place("CLUSTER_SYNC_TEST_TARGET") else {
            return nil
        }
        return RealClusters(source: source, target: target)
    }()

    private static func place(_ variable: String) -> Place? {
        guard let text = getenv(variable).map({ String(cString: $0) }), let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...])
        else { return nil }
        let host = String(text[..<colon])
        return (try? SocketAddress(ipAddress: host, port: port)).map { Place(host: host, port: port, address: $0) }
    }
}
