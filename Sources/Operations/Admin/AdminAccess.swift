import HTTPTypes
import Hummingbird
import NIOCore

/// The context of a request to the admin port: who is at the other end.
struct AdminContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?
    /// The connection itself.
    let channel: any Channel

    init(source: Source) {
        self.coreContext = .init(source: source)
        self.remoteAddress = source.channel.remoteAddress
        self.channel = source.channel
    }

    /// The peer as the audit trail names it.
    var peer: String { "admin \(self.remoteAddress?.ipAddress ?? "local")" }
}

/// Who may change something. Reading is open on the bound address.
struct AdminAccess: Sendable {
    let token: @Sendable () -> String?

    /// Throws where `request` may not change anything.
    func checkMayChange(_ request: Request, _ context: AdminContext) throws(AdminError) {
        if let token = self.token() {
            guard let given = Self.bearerToken(request.headers[.authorization]) else {
                throw Self.unauthorized("Changing needs the bearer token.")
            }
            guard Self.isEqual(given, token) else { throw Self.unauthorized("The bearer token is wrong.") }
            return
        }
        guard Self.isLoopback(context.remoteAddress) else {
            throw AdminError(
                .forbidden,
                "No token is configured, so only a peer on the loopback interface may change something.",
                hint: "Configure admin.token and send it as 'Authorization: Bearer …'."
            )
        }
        // A browser on the same machine, or a forwarder in front of us, speaks for somebody who is not on the loopback.
        for name in [HTTPField.Name.origin, .forwardedFor, .forwarded] where request.headers[name] != nil {
            throw AdminError(
                .forbidden,
                "A request that comes through a browser or a forwarder needs the bearer token.",
                hint: "Configure admin.token and send it as 'Authorization: Bearer …'."
            )
        }
    }

    private static func unauthorized(_ message: String) -> AdminError {
        var error = AdminError(.unauthorized, message, hint: "Send 'Authorization: Bearer …'.")
        error.headers[.wwwAuthenticate] = "Bearer realm=\"cluster-sync\""
        return error
    }

    static func bearerToken(_ header: String?) -> String? {
        guard let header, let space = header.firstIndex(of: " ") else { return nil }
        guard header[..<space].lowercased() == "bearer" else { return nil }
        return Nearest.trimmed(header[header.index(after: space)...])
    }

    /// Compares in a time that depends on the length of `given` alone.
    static func isEqual(_ given: String, _ secret: String) -> Bool {
        let secret = Array(secret.utf8)
        guard !secret.isEmpty else { return false }
        var difference = given.utf8.count ^ secret.count
        for (index, byte) in given.utf8.enumerated() { difference |= Int(byte ^ secret[index % secret.count]) }
        return difference == 0
    }

    static func isLoopback(_ address: SocketAddress?) -> Bool {
        switch address {
        case .v4, .v6:
            guard let text = address?.ipAddress else { return false }
            return text.hasPrefix("127.") || text == "::1" || text.hasPrefix("::ffff:127.")
        case .unixDomainSocket:
            return true
        case nil:
            return false
        }
    }
}

extension HTTPField.Name {
    // The names are valid tokens, so these initializers return a value.
    static var forwarded: Self { Self("Forwarded") ?? .via }
    static var forwardedFor: Self { Self("X-Forwarded-For") ?? .via }
}
