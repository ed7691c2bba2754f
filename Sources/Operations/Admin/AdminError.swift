public import HTTPTypes
import Hummingbird
import NIOCore

/// Why a request to the admin port was refused. Its texts reach the peer: they hold no secret.
public struct AdminError: Error, Sendable {
    /// What went wrong, with the HTTP status that says so.
    public struct Code: Sendable, Equatable {
        /// The word in the answer.
        public let name: String
        /// The status of the answer.
        public let status: HTTPResponse.Status

        /// The body is not JSON, or not of the right shape.
        public static var invalidDocument: Self { .init(name: "invalid_document", status: .badRequest) }
        /// A key or value of a configuration document is wrong.
        public static var invalidConfiguration: Self { .init(name: "invalid_configuration", status: .badRequest) }
        /// The name of a write mode is unknown.
        public static var invalidMode: Self { .init(name: "invalid_mode", status: .badRequest) }
        /// A parameter, in the path or behind the question mark, is unknown or wrong.
        public static var invalidParameter: Self { .init(name: "invalid_parameter", status: .badRequest) }
        /// The sidecar has no journal.
        public static var journalDisabled: Self { .init(name: "journal_disabled", status: .conflict) }
        /// The journal has no room for what should be owed again.
        public static var journalFull: Self { .init(name: "journal_full", status: .conflict) }
        /// None of what was named is there.
        public static var nothingFound: Self { .init(name: "nothing_found", status: .conflict) }
        /// The rules of transition forbid the step.
        public static var transitionRefused: Self { .init(name: "transition_refused", status: .conflict) }
        /// Gates stand against the step.
        public static var gatesVeto: Self { .init(name: "gates_veto", status: .conflict) }
        /// A cluster that the change needs is not configured or cannot be reached.
        public static var clusterUnreachable: Self { .init(name: "cluster_unreachable", status: .conflict) }
        /// A load runs already.
        public static var alreadyRunning: Self { .init(name: "already_running", status: .conflict) }
        /// No load runs.
        public static var notRunning: Self { .init(name: "not_running", status: .conflict) }
        /// The source has no such keyspace, or nothing of it is to be loaded.
        public static var unknownKeyspace: Self { .init(name: "unknown_keyspace", status: .notFound) }
        /// The source has no such table, or it is not to be loaded.
        public static var unknownTable: Self { .init(name: "unknown_table", status: .notFound) }
        /// No difference of this id is remembered.
        public static var unknownDiscrepancy: Self { .init(name: "unknown_discrepancy", status: .notFound) }
        /// No or a wrong token.
        public static var unauthorized: Self { .init(name: "unauthorized", status: .unauthorized) }
        /// Changing from here is not allowed.
        public static var forbidden: Self { .init(name: "forbidden", status: .forbidden) }
        /// No such path.
        public static var notFound: Self { .init(name: "not_found", status: .notFound) }
        /// The path exists, the method does not.
        public static var methodNotAllowed: Self { .init(name: "method_not_allowed", status: .methodNotAllowed) }
        /// The body is longer than the limit.
        public static var bodyTooLarge: Self { .init(name: "body_too_large", status: .contentTooLarge) }
        /// As many listen to the events as may.
        public static var tooManyListeners: Self { .init(name: "too_many_listeners", status: .serviceUnavailable) }
        /// The change was allowed and failed.
        public static var changeFailed: Self { .init(name: "change_failed", status: .internalServerError) }
        /// Too many ask at once; the same request may be sent again in a moment.
        public static var busy: Self { .init(name: "busy", status: .serviceUnavailable) }
        /// A fault of this program.
        public static var internalError: Self { .init(name: "internal_error", status: .internalServerError) }
    }

    /// What went wrong.
    public let code: Code
    /// A sentence for people.
    public let message: String
    /// What to do about it.
    public let hint: String?

    /// The gates that stand against a step, where that is the fault.
    public let gates: [GateDocument]?

    var headers: HTTPFields = [:]

    /// Creates an error.
    public init(_ code: Code, _ message: String, hint: String? = nil, gates: [GateDocument]? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.gates = gates
    }

    func response() -> Response {
        let document = ErrorDocument(
            error: .init(code: self.code.name, message: self.message, hint: self.hint, gates: self.gates)
        )
        var response = Response.document(document, status: self.code.status)
        for field in self.headers { response.headers.append(field) }
        return response
    }
}

extension Response {
    /// A document as the answer. Encoding our own documents cannot fail: they hold finite numbers and texts only.
    static func document(_ document: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        guard let data = try? DocumentCoding.encode(document) else {
            preconditionFailure("an admin document could not be written as JSON")
        }
        return Response(
            status: status,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: data))
        )
    }
}
