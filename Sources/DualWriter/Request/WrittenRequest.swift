import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

/// A write as the rules of `DualWriteCore` want to see it: the message, and what is known of its statements.
struct WrittenRequest {
    let message: Request
    /// One for a QUERY or EXECUTE, one for each child of a BATCH.
    let statements: [WriteStatement]

    /// Reads a write; nil where it is none, or where one of its statements is not known.
    ///
    /// - Parameters:
    ///   - keyspace: the connection's, for names without one.
    ///   - known: the prepared statement of one of the proxy's own ids.
    init?(
        _ opcode: Opcode,
        _ body: UnsafeRawBufferPointer,
        keyspace: String?,
        known: (StatementID) -> KnownStatement?
    ) {
        guard let message = try? RequestRewriter.decode(body, opcode: opcode) else { return nil }
        func text(_ text: String) -> WriteStatement {
            WriteStatement(text: text, analysis: StatementAnalysis.analyze(text), keyspace: keyspace)
        }
        func prepared(_ id: ByteBuffer) -> WriteStatement? {
            id.withUnsafeReadableBytes { StatementID($0) }.flatMap(known).map {
                WriteStatement(text: $0.sentText, analysis: $0.analysis, keyspace: $0.keyspace)
            }
        }
        var statements: [WriteStatement] = []
        switch message {
        case .query(let query):
            statements = [text(query.text)]
        case .execute(let execute):
            guard let statement = prepared(execute.id) else { return nil }
            statements = [statement]
        case .batch(let batch):
            for child in batch.children {
                switch child.statement {
                case .text(let child): statements.append(text(child))
                case .prepared(let id):
                    guard let statement = prepared(id) else { return nil }
                    statements.append(statement)
                }
            }
        case .startup, .authResponse, .options, .prepare, .register:
            return nil
        }
        self.message = message
        self.statements = statements
    }
}

extension DualWriterLoop {
    /// A request as the rules of `DualWriteCore` want to see it.
    func written(_ request: ProxiedRequest) -> WrittenRequest? {
        let statements = [request.statement].compactMap { $0 } + request.children
        return WrittenRequest(request.opcode, request.body.bytes, keyspace: request.identity?.key.keyspace) { id in
            statements.first { $0.id == id }?.known
        }
    }
}
