/// `CREATE|ALTER ROLE|USER`.
public struct RoleStatement: Sendable, Hashable {
    /// Which data centers or networks the role may use.
    public enum Access: Sendable, Hashable {
        case all
        case only([String])
    }

    /// The role.
    public let name: String
    /// The statement says `USER`.
    public let isUser: Bool
    /// `IF NOT EXISTS`, or `IF EXISTS` of `ALTER`.
    public let ifClause: Bool
    /// `PASSWORD`, or `HASHED PASSWORD`. Not to be logged.
    public let password: String?
    /// Whether the password is a hash.
    public let isHashedPassword: Bool
    /// `SUPERUSER`.
    public let isSuperuser: Bool?
    /// `LOGIN`.
    public let canLogin: Bool?
    /// `OPTIONS`.
    public let options: [PropertyEntry]
    /// `ACCESS TO DATACENTERS`.
    public let datacenters: Access?
}

/// What a permission is about.
public enum PermissionResource: Sendable, Hashable {
    case allKeyspaces
    case keyspace(String)
    case allTables(keyspace: String)
    case table(QualifiedName)
    case allRoles
    case role(String)
    case allFunctions(keyspace: String?)
    case function(QualifiedName, [CQLType])
    case allMBeans
    case mbean(String)
    case mbeans(String)
}

/// `GRANT` and `REVOKE` of permissions.
public struct PermissionStatement: Sendable, Hashable {
    /// Upper-case permissions; empty for `ALL`.
    public let permissions: [String]
    /// On what.
    public let resource: PermissionResource
    /// The role.
    public let role: String
}

/// `LIST …`.
public enum ListStatement: Sendable, Hashable {
    case roles(of: String?, recursive: Bool)
    case users
    /// Permissions are empty for `ALL`.
    case permissions([String], on: PermissionResource?, of: String?, recursive: Bool)
}

/// `DESCRIBE …`.
public struct DescribeStatement: Sendable, Hashable {
    /// What is described.
    public enum Target: Sendable, Hashable {
        case cluster
        case schema(full: Bool)
        case keyspaces
        case tables
        case types
        case functions
        case aggregates
        case keyspace(String?, only: Bool)
        case table(QualifiedName)
        case type(QualifiedName)
        case function(QualifiedName)
        case aggregate(QualifiedName)
        case index(QualifiedName)
        case view(QualifiedName)
        /// A name that may be a keyspace, table, index or view.
        case any(QualifiedName)
    }

    /// What is described.
    public let target: Target
    /// `WITH INTERNALS`.
    public let withInternals: Bool
}
