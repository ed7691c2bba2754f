/// One CQL statement of Cassandra 4.1's grammar.
public indirect enum Statement: Sendable, Hashable {
    case select(SelectStatement)
    case insert(InsertStatement)
    case update(UpdateStatement)
    case delete(DeleteStatement)
    case batch(BatchStatement)
    case truncate(QualifiedName)
    case use(keyspace: String)

    case createKeyspace(CreateKeyspaceStatement)
    case alterKeyspace(AlterKeyspaceStatement)
    case dropKeyspace(String, ifExists: Bool)
    case createTable(CreateTableStatement)
    case alterTable(AlterTableStatement)
    case dropTable(QualifiedName, ifExists: Bool)
    case createType(CreateTypeStatement)
    case alterType(AlterTypeStatement)
    case dropType(QualifiedName, ifExists: Bool)
    case createIndex(CreateIndexStatement)
    case dropIndex(QualifiedName, ifExists: Bool)
    case createView(CreateViewStatement)
    case alterView(QualifiedName, TableOptions, ifExists: Bool)
    case dropView(QualifiedName, ifExists: Bool)
    case createFunction(CreateFunctionStatement)
    case dropFunction(QualifiedName, argumentTypes: [CQLType]?, ifExists: Bool)
    case createAggregate(CreateAggregateStatement)
    case dropAggregate(QualifiedName, argumentTypes: [CQLType]?, ifExists: Bool)
    case createTrigger(CreateTriggerStatement)
    case dropTrigger(name: String, table: QualifiedName, ifExists: Bool)

    /// `CREATE ROLE` and `CREATE USER`.
    case createRole(RoleStatement)
    /// `ALTER ROLE` and `ALTER USER`.
    case alterRole(RoleStatement)
    /// `DROP ROLE` and `DROP USER`.
    case dropRole(name: String, ifExists: Bool)
    case grantRole(role: String, to: String)
    case revokeRole(role: String, from: String)
    case grant(PermissionStatement)
    case revoke(PermissionStatement)
    case list(ListStatement)
    case describe(DescribeStatement)
}
