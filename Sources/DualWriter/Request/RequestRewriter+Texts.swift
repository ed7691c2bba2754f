import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

extension RequestRewriter {
    /// The body of a request whose prepared statements have got other texts, and those statements by their places: 0 for an
    /// EXECUTE, the child's index in the rewritten BATCH.
    ///
    /// The ids in the body are the proxy's own; a node may have to be asked to prepare the statements first.
    ///
    /// - Parameter statement: the statement of a text at a place.
    static func encode(
        _ rewritten: RewrittenRequest,
        statement: (Int, String) -> PreparedStatement
    ) throws(CQLProtocolError) -> (body: ByteBuffer, statements: [Int: PreparedStatement]) {
        let statements = Dictionary(
            uniqueKeysWithValues: rewritten.texts.map { place, text in (place, statement(place, text)) }
        )
        func id(at place: Int) -> ByteBuffer? { statements[place]?.id.buffer }
        switch rewritten.request {
        case .execute(var execute):
            if let id = id(at: 0) { execute.id = id }
            return (try Self.encode(.execute(execute)), statements)
        case .batch(var batch):
            for place in batch.children.indices {
                if let id = id(at: place) { batch.children[place].statement = .prepared(id: id) }
            }
            return (try Self.encode(.batch(batch)), statements)
        case .query, .startup, .authResponse, .options, .prepare, .register:
            return (try Self.encode(rewritten.request), statements)
        }
    }
}
