import CQLProtocol
import NIOCore
import Testing

@testable import CQLClient

struct HandshakeTests {
    private static let startup = Handshake.Action.send(
        .startup(["CQL_VERSION": "3.0.0", "DRIVER_NAME": "cluster-sync"])
    )

    @Test func `a node without authentication is ready after STARTUP`() {
        var handshake = Handshake(credentials: nil, keyspace: nil)
        #expect(handshake.begin() == Self.startup)
        #expect(handshake.received(.ready) == .ready)
    }

    @Test func `credentials and keyspace come before the first request`() {
        var handshake = Handshake(credentials: Credentials(username: "u", password: "p"), keyspace: "My \"ks\"")
        #expect(handshake.begin() == Self.startup)
        let token = ByteBuffer(bytes: [0, 0x75, 0, 0x70])
        #expect(handshake.received(.authenticate("a.PasswordAuthenticator")) == .send(.authResponse(token)))
        #expect(handshake.authenticator == "a.PasswordAuthenticator")
        #expect(handshake.received(.authSuccess(nil)) == .send(.query(Query("USE \"My \"\"ks\"\"\""))))
        #expect(handshake.received(.result(.setKeyspace("My \"ks\""))) == .ready)
    }

    @Test func `the cluster's own error ends the handshake and is kept`() {
        var handshake = Handshake(credentials: Credentials(username: "u", password: "p"), keyspace: nil)
        _ = handshake.begin()
        _ = handshake.received(.authenticate("a"))
        let error = ErrorMessage(.badCredentials, "Provided username u and/or password are incorrect")
        guard case .fail(let failure) = handshake.received(.error(error)) else {
            Issue.record("the handshake goes on after an error")
            return
        }
        #expect(failure.serverError == error)
        #expect(failure.isFinal)
    }

    @Test func `missing credentials are said, not tried`() {
        var handshake = Handshake(credentials: nil, keyspace: nil)
        _ = handshake.begin()
        guard case .fail(let failure) = handshake.received(.authenticate("a.B")) else {
            Issue.record("the handshake goes on without credentials")
            return
        }
        #expect(failure.description.contains("a.B") && failure.isFinal)
    }

    @Test(arguments: [Response.authSuccess(nil), .result(.void), .supported([:])])
    func `anything out of order is a violation`(response: Response) {
        var handshake = Handshake(credentials: nil, keyspace: nil)
        _ = handshake.begin()
        guard case .fail(let failure) = handshake.received(response) else {
            Issue.record("\(response.opcode) is accepted")
            return
        }
        #expect(failure.code == .protocolViolation)
    }

    @Test func `credentials are read from SASL PLAIN and never printed`() throws {
        let token = ByteBuffer(string: "\0anna\0secret")
        let credentials = try #require(Credentials(saslPlain: token))
        #expect(credentials == Credentials(username: "anna", password: "secret"))
        for text in ["\(credentials)", String(reflecting: credentials), "\([credentials])"] {
            #expect(!text.contains("anna") && !text.contains("secret"))
        }
        for bad in ["", "anna", "\0anna", "\0\0secret", "other\0anna\0secret", "\0a\0b\0c"] {
            #expect(Credentials(saslPlain: ByteBuffer(string: bad)) == nil, "\(bad.debugDescription)")
        }
    }
}
