extension Parser {
    // MARK: Roles

    /// Name and options of a role or user.
    mutating func role(isUser: Bool, ifClause: Bool) throws(CQLSyntaxError) -> RoleStatement {
        var draft = RoleDraft()
        let name = try self.roleName()
        if self.takeWord("with") {
            repeat { try self.roleOption(&draft, isUser: isUser) } while self.takeWord("and")
        }
        if isUser {
            if self.takeWord("superuser") {
                draft.isSuperuser = true
            } else if self.takeWord("nosuperuser") {
                draft.isSuperuser = false
            }
        }
        return RoleStatement(
            name: name,
            isUser: isUser,
            ifClause: ifClause,
            password: draft.password,
            isHashedPassword: draft.isHashed,
            isSuperuser: draft.isSuperuser,
            canLogin: draft.canLogin,
            options: draft.options,
            datacenters: draft.datacenters
        )
    }

    private struct RoleDraft {
        var password: String?
        var isHashed = false
        var isSuperuser: Bool?
        var canLogin: Bool?
        var options: [PropertyEntry] = []
        var datacenters: RoleStatement.Access?
    }

    private mutating func roleOption(_ draft: inout RoleDraft, isUser: Bool) throws(CQLSyntaxError) {
        let isHashed = self.takeWord("hashed")
        if self.takeWord("password") {
            if !isUser || self.kind == .equal { try self.expect(.equal, "=") }
            draft.isHashed = isHashed
            draft.password = try self.string()
            return
        }
        guard !isHashed, !isUser else { throw self.unexpected() }
        if self.takeWord("options") {
            try self.expect(.equal, "=")
            draft.options = try self.mapProperty()
        } else if self.takeWord("superuser") {
            draft.isSuperuser = try self.boolean()
        } else if self.takeWord("login") {
            draft.canLogin = try self.boolean()
        } else if self.takeWords("access", "to") {
            if self.takeWord("all") {
                try self.expectWord("datacenters")
                draft.datacenters = .all
                return
            }
            try self.expectWord("datacenters")
            try self.expect(.leftBrace, "{")
            var names: [String] = []
            repeat { names.append(try self.string()) } while self.take(.comma)
            try self.expect(.rightBrace, "}")
            draft.datacenters = .only(names)
        } else {
            throw self.unexpected()
        }
    }

    private mutating func boolean() throws(CQLSyntaxError) -> Bool {
        try self.expect(.equal, "=")
        if self.takeWord("true") { return true }
        try self.expectWord("false")
        return false
    }

    // MARK: Permissions

    private static let permissions: Set<String> = [
        "create", "alter", "drop", "select", "modify", "authorize", "describe", "execute", "unmask", "select_masked",
    ]

    /// The permissions, empty for `ALL`; nil where the next words name a role.
    private mutating func permissions() throws(CQLSyntaxError) -> [String]? {
        if self.isWord("all") {
            self.advance()
            _ = self.takeWord("permissions")
            return []
        }
        let behind = self.peek(1)
        let isPermission =
            self.kind == .word
            && (behind.kind == .comma || behind.isWord("on", in: self.bytes)
                || behind.isWord("permission", in: self.bytes))
        guard isPermission || (self.kind == .word && Keywords.reserved.contains(self.folded(self.token))) else {
            return nil
        }
        var result: [String] = []
        repeat {
            guard self.kind == .word, Self.permissions.contains(self.folded(self.token)) else {
                throw self.unexpected()
            }
            result.append(self.folded(self.token).uppercased())
            self.advance()
            _ = self.takeWord("permission")
        } while self.take(.comma)
        return result
    }

    private mutating func resource() throws(CQLSyntaxError) -> PermissionResource {
        if self.isWord("all") {
            self.advance()
            if self.takeWord("keyspaces") { return .allKeyspaces }
            if self.takeWord("roles") { return .allRoles }
            if self.takeWord("mbeans") { return .allMBeans }
            if self.takeWord("functions") {
                guard self.takeWord("in") else { return .allFunctions(keyspace: nil) }
                try self.expectWord("keyspace")
                return .allFunctions(keyspace: try self.identifier())
            }
            try self.expectWord("tables")
            try self.expectWord("in")
            try self.expectWord("keyspace")
            return .allTables(keyspace: try self.identifier())
        }
        if self.takeWord("keyspace") { return .keyspace(try self.identifier()) }
        if self.takeWord("table") || self.takeWord("columnfamily") { return .table(try self.qualifiedName()) }
        // These words are free, so a table may be called by them.
        let isTable = self.peek(1).kind == .dot || self.isWord("to", at: 1) || self.isWord("from", at: 1)
        guard !isTable else { return .table(try self.qualifiedName()) }
        if self.isWord("role"), self.isName(at: 1) || self.peek(1).kind == .string, !self.isWord("of", at: 1) {
            self.advance()
            return .role(try self.roleName())
        }
        if self.takeWord("function") {
            let name = try self.functionName()
            return .function(name, try self.argumentTypes())
        }
        if self.takeWord("mbean") { return .mbean(try self.string()) }
        if self.takeWord("mbeans") { return .mbeans(try self.string()) }
        return .table(try self.qualifiedName())
    }

    mutating func grant() throws(CQLSyntaxError) -> Statement {
        self.advance()
        guard let permissions = try self.permissions() else {
            let role = try self.roleName()
            try self.expectWord("to")
            return .grantRole(role: role, to: try self.roleName())
        }
        try self.expectWord("on")
        let resource = try self.resource()
        try self.expectWord("to")
        return .grant(PermissionStatement(permissions: permissions, resource: resource, role: try self.roleName()))
    }

    mutating func revoke() throws(CQLSyntaxError) -> Statement {
        self.advance()
        guard let permissions = try self.permissions() else {
            let role = try self.roleName()
            try self.expectWord("from")
            return .revokeRole(role: role, from: try self.roleName())
        }
        try self.expectWord("on")
        let resource = try self.resource()
        try self.expectWord("from")
        return .revoke(PermissionStatement(permissions: permissions, resource: resource, role: try self.roleName()))
    }

    mutating func list() throws(CQLSyntaxError) -> ListStatement {
        self.advance()
        if self.takeWord("users") { return .users }
        if self.takeWord("roles") {
            let role = self.takeWord("of") ? try self.roleName() : nil
            return .roles(of: role, recursive: !self.takeWord("norecursive"))
        }
        let permissions: [String]
        if self.kind == .word, Self.permissions.contains(self.folded(self.token)), self.peek(1).kind != .comma {
            permissions = [self.folded(self.token).uppercased()]
            self.advance()
            _ = self.takeWord("permission")
        } else {
            guard let several = try self.permissions() else { throw self.unexpected() }
            permissions = several
        }
        let resource = self.takeWord("on") ? try self.resource() : nil
        let role = self.takeWord("of") ? try self.roleName() : nil
        return .permissions(permissions, on: resource, of: role, recursive: !self.takeWord("norecursive"))
    }

    // MARK: DESCRIBE

    mutating func describe() throws(CQLSyntaxError) -> DescribeStatement {
        self.advance()
        let target = try self.describeTarget()
        let withInternals = self.takeWords("with", "internals")
        return DescribeStatement(target: target, withInternals: withInternals)
    }

    private mutating func describeTarget() throws(CQLSyntaxError) -> DescribeStatement.Target {
        if self.takeWords("full", "schema") { return .schema(full: true) }
        if self.takeWord("schema") { return .schema(full: false) }
        if self.takeWord("keyspace") { return .keyspace(try self.optionalIdentifier(), only: false) }
        if self.takeWords("only", "keyspace") { return .keyspace(try self.optionalIdentifier(), only: true) }
        if self.takeWord("table") || self.takeWord("columnfamily") { return .table(try self.qualifiedName()) }
        if self.takeWord("index") { return .index(try self.qualifiedName()) }
        if self.takeWords("materialized", "view") { return .view(try self.qualifiedName()) }
        guard self.kind == .word, self.peek(1).kind != .dot else { return .any(try self.qualifiedName()) }
        if self.isName(at: 1), !self.isWord("with", at: 1) {
            if self.takeWord("type") { return .type(try self.qualifiedName()) }
            if self.takeWord("function") { return .function(try self.functionName()) }
            if self.takeWord("aggregate") { return .aggregate(try self.functionName()) }
        }
        if self.takeWord("cluster") { return .cluster }
        if self.takeWord("keyspaces") { return .keyspaces }
        if self.takeWord("tables") { return .tables }
        if self.takeWord("types") { return .types }
        if self.takeWord("functions") { return .functions }
        if self.takeWord("aggregates") { return .aggregates }
        return .any(try self.qualifiedName())
    }

    private mutating func optionalIdentifier() throws(CQLSyntaxError) -> String? {
        guard self.isName(at: 0), !self.isWord("with") else { return nil }
        return try self.identifier()
    }
}
