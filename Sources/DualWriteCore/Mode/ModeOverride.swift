/// Tables that have a mode of their own, whatever the sidecar's is; or tenants of tables, whose reads go ahead of everybody
/// else's.
public struct ModeOverride: Sendable, Hashable, CustomStringConvertible {
    /// The tables.
    public let tables: TableFilter.Pattern
    /// How they are read and written.
    public let stage: ModeStage
    /// Whose rows of these tables it is about: their reads are answered by the target while the tables are in DualWriteSync. Nil
    /// where it is about all of each table.
    public let tenants: CanaryTenants?

    /// An override of known parts.
    public init(_ tables: TableFilter.Pattern, _ stage: ModeStage) {
        self.tables = tables
        self.stage = stage
        self.tenants = nil
    }

    /// Tenants that go ahead.
    public init(_ tables: TableFilter.Pattern, ahead tenants: CanaryTenants) {
        self.tables = tables
        self.stage = .readsFirst
        self.tenants = tenants
    }

    /// Reads all parts.
    ///
    /// - Throws: ``ModeOverridesError`` that says what is wrong: tenants may go ahead with their reads, and have no other mode.
    public init(tables: String, mode: String, tenants: CanaryTenants?) throws(ModeOverridesError) {
        let override = try ModeOverride(tables: tables, mode: mode)
        guard let tenants else {
            self = override
            return
        }
        guard override.stage == .readsFirst else {
            throw ModeOverridesError(
                "tenants of \(override.tables) cannot be in \(override.stage): what they can have of their own is "
                    + "\(ModeStage.readsFirst)"
            )
        }
        self.init(override.tables, ahead: tenants)
    }

    /// Reads `TABLES=MODE`, as configurations write it. A quoted name may have a `=` in it, a mode has none.
    ///
    /// - Throws: ``ModeOverridesError`` that says what is wrong.
    public init(parsing text: String) throws(ModeOverridesError) {
        guard let sign = text.lastIndex(of: "=") else {
            throw ModeOverridesError("'\(text.prefix(128))' is no override; write keyspace.table=Mode")
        }
        try self.init(
            tables: Self.trimmed(text[..<sign]),
            mode: Self.trimmed(text[text.index(after: sign)...])
        )
    }

    /// Reads both parts.
    ///
    /// - Throws: ``ModeOverridesError`` that says what is wrong.
    public init(tables: String, mode: String) throws(ModeOverridesError) {
        self.tenants = nil
        do throws(TableFilterError) {
            self.tables = try TableFilter.Pattern(parsing: tables)
        } catch {
            throw ModeOverridesError("\(error)")
        }
        if mode.lowercased() == ModeStage.readsFirst.name.lowercased() {
            self.stage = .readsFirst
            return
        }
        do throws(WriteModeError) {
            self.stage = ModeStage(try WriteMode(parsing: mode))
        } catch {
            throw ModeOverridesError("\(error); an override may also be \(ModeStage.readsFirst)")
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let rest = text.drop { $0.isWhitespace }
        return String(rest.prefix(rest.count - rest.reversed().prefix { $0.isWhitespace }.count))
    }

    /// As it can be read again where it is about whole tables.
    public var description: String {
        guard let tenants else { return "\(self.tables)=\(self.stage)" }
        return "\(self.tables)[\(tenants)]=\(self.stage)"
    }
}

/// Overrides that cannot be.
public struct ModeOverridesError: Error, Hashable, CustomStringConvertible {
    /// What is wrong with them.
    public let description: String

    /// An error with its words.
    public init(_ description: String) { self.description = description }
}
