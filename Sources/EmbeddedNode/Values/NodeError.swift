import CQLProtocol

/// What a statement is refused with; it becomes an ERROR frame.
struct NodeError: Error {
    let message: ErrorMessage

    init(_ code: ErrorCode, _ text: String, details: ErrorMessage.Details = .none) {
        self.message = ErrorMessage(code, text, details: details)
    }

    init(_ message: ErrorMessage) { self.message = message }

    static func invalid(_ text: String) -> NodeError { NodeError(.invalid, text) }
    static func unsupported(_ what: String) -> NodeError { .invalid("\(what) is not supported by the embedded node") }
}
