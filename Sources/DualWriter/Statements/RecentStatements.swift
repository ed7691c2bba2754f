/// In front of a loop's statements: the place of an id is a few of its bits, which as a digest's are as good as any hash.
struct RecentStatements: ~Copyable {
    private static var places: Int { 256 }

    private let statements: UnsafeMutablePointer<PreparedStatement?>

    init() {
        self.statements = .allocate(capacity: Self.places)
        self.statements.initialize(repeating: nil, count: Self.places)
    }

    deinit {
        self.statements.deinitialize(count: Self.places)
        self.statements.deallocate()
    }

    @inline(__always)
    private func place(of id: StatementID) -> UnsafeMutablePointer<PreparedStatement?> {
        self.statements + Int(truncatingIfNeeded: id.low) & (Self.places - 1)
    }

    /// The statement of an id, if it was used lately.
    @inline(__always)
    func statement(_ id: StatementID) -> PreparedStatement? {
        guard let statement = self.place(of: id).pointee, statement.id == id else { return nil }
        return statement
    }

    /// Keeps a statement until another one needs its place.
    func keep(_ statement: PreparedStatement) { self.place(of: statement.id).pointee = statement }

    /// Forgets a statement.
    func forget(_ id: StatementID) {
        let place = self.place(of: id)
        if place.pointee?.id == id { place.pointee = nil }
    }
}
