public import CQLProtocol
import NIOCore

/// The pages of a read. May be walked once or several times; each walk asks anew.
public struct CQLPages: AsyncSequence, Sendable {
    /// A page.
    public typealias Element = Rows

    let session: CQLSession
    let statement: CQLStatement
    let values: [CQLValue]
    let pageSize: Int32
    let consistency: Consistency

    /// A walk over the pages.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let pages: CQLPages
        private var state: ByteBuffer?
        private var isDone = false

        init(_ pages: CQLPages) { self.pages = pages }

        /// The next page; `nil` behind the last one.
        public mutating func next() async throws -> Rows? {
            guard !self.isDone else { return nil }
            let result = try await self.pages.session.execute(
                self.pages.statement,
                self.pages.values,
                consistency: self.pages.consistency,
                pageSize: self.pages.pageSize,
                pagingState: self.state
            )
            self.state = result.rows?.metadata.pagingState
            self.isDone = self.state == nil
            return result.rows
        }
    }

    /// Begins a walk.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
