public import CQLProtocol
import CQLSyntax

/// The part of a batch that the shadow gets: the wanted children under the same timestamp (DESIGN §6.7).
public enum ShadowPart: Sendable, Hashable {
    /// The request as it is.
    case whole
    /// Another one, with some of the children. Of a protocol BATCH with these indices.
    case part(RewrittenRequest, children: [Int])
    /// Nothing is owed.
    case nothing
    /// The grammar does not know the text that would have to be cut.
    case unclear

    /// Cuts a request.
    ///
    /// - Parameters:
    ///   - request: QUERY, EXECUTE or BATCH.
    ///   - statement: of a QUERY or EXECUTE, which may be a text batch; not needed for a BATCH.
    ///   - share: what is wanted of it.
    public init(of request: Request, _ statement: WriteStatement?, share: ShadowShare) {
        switch share {
        case .whole: self = .whole
        case .nothing: self = .nothing
        case .children(let children): self = Self.part(of: request, statement, children)
        }
    }

    private static func part(of request: Request, _ statement: WriteStatement?, _ children: [Int]) -> ShadowPart {
        switch request {
        case .query(var query):
            guard let (text, values) = Self.cut(statement, query.parameters.values, children) else { return .unclear }
            query.text = text
            query.parameters.values = values
            return .part(RewrittenRequest(.query(query)), children: children)
        case .execute(var execute):
            guard let (text, values) = Self.cut(statement, execute.parameters.values, children) else { return .unclear }
            execute.parameters.values = values
            return .part(RewrittenRequest(.execute(execute), texts: [0: text]), children: children)
        case .batch(var batch):
            guard children.allSatisfy(batch.children.indices.contains) else { return .unclear }
            batch.children = children.map { batch.children[$0] }
            return .part(RewrittenRequest(.batch(batch)), children: children)
        case .startup, .authResponse, .options, .prepare, .register:
            return .unclear
        }
    }

    private static func cut(
        _ statement: WriteStatement?,
        _ values: QueryValues,
        _ children: [Int]
    ) -> (String, QueryValues)? {
        guard let statement, statement.analysis.children.indices.contains(children.max() ?? 0),
            let bound = MarkerValues(values, of: statement.analysis.markers),
            let part = StatementRewriter.part(of: statement.text, keeping: Set(children).contains)
        else { return nil }
        return (part.text, bound.keeping(part.keptMarkers))
    }
}
