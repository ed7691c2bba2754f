public import CQLClient
package import CQLProtocol
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The rows of a token range of a live table, page by page; a page is asked for when the one before it is used up, so that
/// no more than one is held.
///
/// Where pages time out or fail they become smaller; where even a page of one row does, the walk ends with
/// ``LiveReadError/Code/needsSplit``. May be walked several times; each walk asks anew.
public struct LiveReader: AsyncSequence, Sendable {
    /// A page.
    public typealias Element = LivePage

    /// How many replicas are asked, all of them in the local data centre.
    public enum Consistency: String, Sendable, Hashable {
        /// One: what it has missed is not read. For a source that was repaired, or a quiet one with hints delivered.
        case localOne = "LOCAL_ONE"
        /// Most of them.
        case localQuorum = "LOCAL_QUORUM"

        package var level: CQLProtocol.Consistency { self == .localOne ? .localOne : .localQuorum }
    }

    /// The bounds of a walk.
    public struct Options: Sendable, Hashable {
        /// How many replicas are asked.
        public var consistency = Consistency.localQuorum
        /// Bytes of a page's values: pages get as many rows as make about that.
        public var pageBytes = 1 << 20
        /// Rows of the first page.
        public var firstPageRows = 100
        /// Rows of a page at most.
        public var pageRowsMax = 5_000
        /// Pages that may fail one after the other; one more ends the walk.
        public var failuresMax = 12
        /// The pause after a failure, in milliseconds; it doubles with each one that follows, up to 32 times.
        public var pauseMilliseconds = 50

        /// The defaults.
        public init() {}
    }

    let session: CQLSession
    let prepared: LiveSelect.Prepared
    let start: Int64
    let end: Int64
    let options: Options

    /// The tokens above `start`, up to `end`; the whole ring is `Int64.min` and `Int64.max`.
    public init(
        _ prepared: LiveSelect.Prepared,
        on session: CQLSession,
        after start: Int64,
        through end: Int64,
        options: Options = Options()
    ) {
        self.session = session
        self.prepared = prepared
        self.start = start
        self.end = end
        self.options = options
    }

    /// Begins a walk.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }

    /// A walk over the pages.
    public struct AsyncIterator: AsyncIteratorProtocol, Sendable {
        private let reader: LiveReader
        private var size: PageSize
        private var state: ByteBuffer?
        private var lastKey: [ByteBuffer]?
        private var completeThrough: Int64?
        private var elementTimes: LiveElementTimes?
        private var isDone = false

        init(_ reader: LiveReader) {
            self.reader = reader
            let options = reader.options
            self.size = PageSize(bytes: options.pageBytes, rows: options.firstPageRows, rowsMax: options.pageRowsMax)
            self.elementTimes = LiveElementTimes(reader.prepared.select, on: reader.session, options)
            self.isDone = reader.start >= reader.end
        }

        /// The next page; nil behind the last one.
        ///
        /// - Throws: ``LiveReadError``, and `CancellationError`.
        public mutating func next() async throws -> LivePage? {
            guard !self.isDone else { return nil }
            do {
                return try await self.page()
            } catch {
                // What would follow is not what follows the last page.
                self.isDone = true
                throw error
            }
        }

        /// The rows of the next page as the server sent them; nil behind the last one. A walk uses this or ``next()``, not both.
        ///
        /// - Throws: ``LiveReadError``, and `CancellationError`. What is left of the range is for the caller to know.
        package mutating func nextRows() async throws -> LiveRows? {
            guard !self.isDone else { return nil }
            do {
                let rows = try await self.rows()
                self.state = rows.metadata.pagingState
                self.isDone = self.state == nil
                self.size.delivered(rows: rows.rowCount, bytes: rows.cells.readableBytes)
                return LiveRows(rows: rows, readAt: Int64(time(nil)), isLast: self.isDone)
            } catch {
                self.isDone = true
                throw error
            }
        }

        private mutating func page() async throws -> LivePage {
            let rows = try await self.rows()
            let now = Int64(time(nil))
            self.state = rows.metadata.pagingState
            self.isDone = self.state == nil
            let select = self.reader.prepared.select
            var (parts, unloadable) = try select.parts(rows, after: self.lastKey)
            do {
                try await self.elementTimes?.add(to: &parts)
            } catch let error as CQLSessionError {
                let code: LiveReadError.Code = error.mayPassWithSmallerPages ? .needsSplit : .refused
                let text = "the times of elements cannot be read: \(error)"
                throw LiveReadError(code, text, remaining: self.remaining, underlying: error)
            }
            let byteCount = rows.cells.readableBytes
            self.size.delivered(rows: rows.rowCount, bytes: byteCount)
            if let last = parts.last {
                // The next page may begin with the same key: it must be told, and the bytes of this page not be kept for it.
                self.lastKey = last.key.map { ByteBuffer(bytes: $0.readableBytesView) }
                // Several keys may have one token, so that only what lies below it is complete.
                if last.token - 1 > self.reader.start { self.completeThrough = last.token - 1 }
            }
            if self.isDone { self.completeThrough = self.reader.end }
            return LivePage(
                parts: parts,
                completeThrough: self.completeThrough,
                rowCount: rows.rowCount,
                byteCount: byteCount,
                readAt: now,
                unloadable: unloadable
            )
        }

        private var remaining: (start: Int64, end: Int64) {
            (self.completeThrough ?? self.reader.start, self.reader.end)
        }

        /// Asks for the page, for a smaller one after a failure that a smaller one may escape.
        private mutating func rows() async throws -> Rows {
            while true {
                do {
                    let result = try await self.reader.session.execute(
                        self.reader.prepared.statement,
                        [.bigint(self.reader.start), .bigint(self.reader.end)],
                        consistency: self.reader.options.consistency.level,
                        pageSize: Int32(self.size.rows),
                        pagingState: self.state
                    )
                    guard let rows = result.rows else {
                        throw LiveReadError(.malformed, "the source answered a SELECT without rows")
                    }
                    return rows
                } catch let error as CQLSessionError {
                    try await self.failed(error)
                }
            }
        }

        private mutating func failed(_ error: CQLSessionError) async throws {
            let name = "\(self.reader.prepared.select.table.keyspace).\(self.reader.prepared.select.table.name)"
            guard error.mayPassWithSmallerPages else {
                let text = "\(name) cannot be read: \(error)"
                throw LiveReadError(.refused, text, remaining: self.remaining, underlying: error)
            }
            guard self.size.failed(), self.size.failures <= self.reader.options.failuresMax else {
                let text =
                    "\(name): \(self.size.failures) pages failed, the last of \(self.size.rows) rows: \(error). "
                    + "Read the range in smaller parts"
                throw LiveReadError(.needsSplit, text, remaining: self.remaining, underlying: error)
            }
            let factor = 1 << Swift.min(self.size.failures - 1, 5)
            try await Task.sleep(for: .milliseconds(self.reader.options.pauseMilliseconds * factor))
        }
    }
}

extension CQLSessionError {
    /// Whether a replica or the way to it was too slow, or the answer too large: with fewer rows it may work.
    package var mayPassWithSmallerPages: Bool {
        switch self.code {
        case .timeout, .connectionLost, .overloaded: true
        case .refused:
            switch self.serverError?.code {
            case .readTimeout?, .readFailure?, .overloaded?, .serverError?: true
            default: false
            }
        default: false
        }
    }
}
