import NIOPosix

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The addresses behind a name: a headless Service of Kubernetes, or a name with several records, stands for all replicas.
enum ReplicaAddresses {
    /// The host of a URL: as it is written, and without the brackets of an IPv6 address.
    static func host(of base: String) -> (written: String, plain: String)? {
        guard let scheme = base.firstRange(of: "://") else { return nil }
        var rest = base[scheme.upperBound...]
        if let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) { rest = rest[..<end] }
        if let user = rest.lastIndex(of: "@") { rest = rest[rest.index(after: user)...] }
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            return (String(rest[...end]), String(rest[rest.index(after: rest.startIndex)..<end]))
        }
        let name = rest.prefix { $0 != ":" }
        return name.isEmpty ? nil : (String(name), String(name))
    }

    /// A client for each address of the name, or `client` as it is where there is one, or none that can be found.
    static func expand(_ client: AdminClient) async -> [AdminClient] {
        guard let host = self.host(of: client.base)?.plain else { return [client] }
        let found = try? await NIOThreadPool.singleton.runIfActive { self.resolve(host) }
        let addresses = self.chosen(found ?? [])
        guard addresses.count > 1 else { return [client] }
        return addresses.map { address in
            var one = client
            one.address = address
            return one
        }
    }

    /// The addresses that stand for replicas. One of either family is one replica with two addresses (`localhost`), which the
    /// connection chooses from; with more, the family that has more of them counts.
    static func chosen(_ addresses: [String]) -> [String] {
        var four: [String] = []
        var six: [String] = []
        for address in addresses {
            if address.contains(":") {
                if !six.contains(address) { six.append(address) }
            } else if !four.contains(address) {
                four.append(address)
            }
        }
        guard max(four.count, six.count) > 1 else { return [] }
        return (four.count >= six.count ? four : six).sorted()
    }

    /// All addresses of a name, in the order of the resolver. Blocks.
    private static func resolve(_ host: String) -> [String] {
        var hints = addrinfo()
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let entry = next?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let result = getnameinfo(
                entry.ai_addr,
                entry.ai_addrlen,
                &text,
                socklen_t(text.count),
                nil,
                0,
                NI_NUMERICHOST
            )
            if result == 0 {
                let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                addresses.append(String(decoding: bytes, as: UTF8.self))
            }
            next = entry.ai_next
        }
        return addresses
    }
}
