/// How many rows a page asks for: as many as make `bytes`, fewer where the server was too slow. Pure.
struct PageSize {
    /// Rows of the next page.
    private(set) var rows: Int
    /// Failures since the last page that came.
    private(set) var failures = 0
    /// Above this size pages have failed lately; nil where they have not.
    private var worked: Int?
    /// Failures of a single row since the last page that came.
    private var singleFailures = 0
    private let bytes: Int
    private let rowsMax: Int

    init(bytes: Int, rows: Int, rowsMax: Int) {
        self.bytes = max(1, bytes)
        self.rowsMax = max(1, rowsMax)
        self.rows = max(1, min(rows, rowsMax))
    }

    /// A page came. It grows to twice the size at most, and more slowly where it failed lately.
    mutating func delivered(rows count: Int, bytes: Int) {
        self.failures = 0
        self.singleFailures = 0
        if let worked {
            let next = worked + max(1, worked / 8)
            self.worked = next < self.rowsMax ? next : nil
        }
        guard count > 0 else { return }
        let fitting = self.bytes / max(1, bytes / count)
        self.rows = max(1, min(fitting, self.rows * 2, self.rowsMax, self.worked ?? .max))
    }

    /// How often a single row is asked for: what is slow for a moment is no reason to give up.
    private static var singleTriesMax: Int { 4 }

    /// A page did not come: the next one is a quarter of it.
    ///
    /// - Returns: false where it had a single row, and that had been asked for often enough.
    mutating func failed() -> Bool {
        self.failures += 1
        guard self.rows > 1 else {
            self.singleFailures += 1
            return self.singleFailures < Self.singleTriesMax
        }
        self.worked = max(1, self.rows / 2)
        self.rows = max(1, self.rows / 4)
        return true
    }
}
