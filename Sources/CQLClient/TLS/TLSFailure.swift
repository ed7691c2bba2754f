import NIOSSL

/// What operators are told when TLS fails.
public enum TLSFailure {
    /// The reason in words; nil for an error that is not of TLS.
    public static func reason(_ error: any Error) -> String? {
        if let error = error as? NIOSSLExtraError {
            return error == .failedToValidateHostname
                ? "TLS: the certificate is not made for this host name or address" : "TLS: \(error)"
        }
        guard let error = error as? NIOSSLError else {
            return (error as? BoringSSLError).map { Self.reason(text: "\($0)") }
        }
        switch error {
        case .handshakeFailed(let cause): return Self.reason(text: "\(cause)")
        case .uncleanShutdown: return "TLS: the connection was cut off"
        default: return "TLS: \(error)"
        }
    }

    /// BoringSSL's own names of what happens when a configuration is wrong (its `ssl.errordata`).
    private static var known: [(name: String, reason: String)] {
        [
            ("WRONG_VERSION_NUMBER", "the other side does not speak TLS"),
            ("HTTP_REQUEST", "the other side does not speak TLS"),
            (
                "CERTIFICATE_VERIFY_FAILED",
                "the certificate does not come from a trusted authority, or is not valid now"
            ),
            ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "the other side shows no certificate, and one is needed"),
            ("CERTIFICATE_REQUIRED", "the other side wants a certificate"),
            ("UNKNOWN_CA", "the other side does not trust our certificate's authority, or is not trusted by it"),
            ("BAD_CERTIFICATE", "the other side does not accept our certificate"),
            ("CERTIFICATE_EXPIRED", "the other side finds our certificate expired"),
            ("HANDSHAKE_FAILURE", "both sides have no version or cipher suite in common, or a certificate is missing"),
            ("UNSUPPORTED_PROTOCOL", "both sides have no version of TLS in common"),
            ("PROTOCOL_VERSION", "both sides have no version of TLS in common"),
        ]
    }

    private static func reason(text: String) -> String {
        if let known = Self.known.first(where: { text.contains($0.name) }) { return "TLS: \(known.reason)" }
        return text.contains("EOF during handshake") ? "TLS: the other side closed the connection" : "TLS: \(text)"
    }
}
