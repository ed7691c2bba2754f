/// A value of a `WITH` property.
public enum PropertyValue: Sendable, Hashable {
    /// A constant or a keyword: strings without quotes, the rest as written.
    case text(String)
    /// `{'key': 'value'}`, in order of the text.
    case map([PropertyEntry])
    /// `{'a', 'b'}`.
    case set([String])
}

/// A key and a value of a map property.
public struct PropertyEntry: Sendable, Hashable {
    /// The key.
    public let key: String
    /// The value.
    public let value: String
}

/// A property `name = value`.
public struct Property: Sendable, Hashable {
    /// The property's name.
    public let name: String
    /// Its value.
    public let value: PropertyValue
}

/// Everything behind `WITH` of a table or view.
public struct TableOptions: Sendable, Hashable {
    /// The properties, in order of the text.
    public let properties: [Property]
    /// `CLUSTERING ORDER BY`.
    public let clusteringOrder: [ColumnOrder]
    /// `COMPACT STORAGE`.
    public let compactStorage: Bool
    /// `ID = '…'`, kept for its own sake as it is no property of the schema.
    public let id: String?

    /// The value of the last property of that name.
    public subscript(name: String) -> PropertyValue? { self.properties.last { $0.name == name }?.value }
}

/// `CREATE KEYSPACE`.
public struct CreateKeyspaceStatement: Sendable, Hashable {
    /// The keyspace.
    public let name: String
    /// `IF NOT EXISTS`.
    public let ifNotExists: Bool
    /// `replication`, `durable_writes`.
    public let properties: [Property]
}

/// `ALTER KEYSPACE`.
public struct AlterKeyspaceStatement: Sendable, Hashable {
    /// The keyspace.
    public let name: String
    /// `IF EXISTS`.
    public let ifExists: Bool
    /// What is changed.
    public let properties: [Property]
}

/// A column of a table or a field of a type.
public struct ColumnDefinition: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The type.
    public let type: CQLType
    /// `STATIC`.
    public let isStatic: Bool
    /// The `MASKED WITH` of Cassandra 5, as written.
    public let mask: String?
}

/// `PRIMARY KEY ((partition), clustering)`.
public struct PrimaryKey: Sendable, Hashable {
    /// Partition key columns.
    public let partitionKey: [String]
    /// Clustering columns.
    public let clusteringColumns: [String]
}

/// `CREATE TABLE`.
public struct CreateTableStatement: Sendable, Hashable {
    /// The table.
    public let name: QualifiedName
    /// `IF NOT EXISTS`.
    public let ifNotExists: Bool
    /// The columns in order of the text.
    public let columns: [ColumnDefinition]
    /// The key, also where it was written behind a column.
    public let primaryKey: PrimaryKey
    /// `WITH`.
    public let options: TableOptions
}

/// An old and a new name.
public struct Rename: Sendable, Hashable {
    /// The old name.
    public let from: String
    /// The new name.
    public let to: String
}

/// `ALTER TABLE`.
public struct AlterTableStatement: Sendable, Hashable {
    /// What is changed.
    public enum Change: Sendable, Hashable {
        case add([ColumnDefinition], ifNotExists: Bool)
        case drop([String], ifExists: Bool, timestamp: Int64?)
        case dropCompactStorage
        case alterType(column: String, CQLType)
        case rename([Rename], ifExists: Bool)
        case with(TableOptions)
    }

    /// The table.
    public let name: QualifiedName
    /// `IF EXISTS`.
    public let ifExists: Bool
    /// What is changed.
    public let change: Change
}

/// `CREATE TYPE`.
public struct CreateTypeStatement: Sendable, Hashable {
    /// The type.
    public let name: QualifiedName
    /// `IF NOT EXISTS`.
    public let ifNotExists: Bool
    /// The fields.
    public let fields: [ColumnDefinition]
}

/// `ALTER TYPE`.
public struct AlterTypeStatement: Sendable, Hashable {
    /// What is changed.
    public enum Change: Sendable, Hashable {
        case add(ColumnDefinition, ifNotExists: Bool)
        case alter(field: String, CQLType)
        case rename([Rename], ifExists: Bool)
    }

    /// The type.
    public let name: QualifiedName
    /// `IF EXISTS`.
    public let ifExists: Bool
    /// What is changed.
    public let change: Change
}

/// `CREATE [CUSTOM] INDEX`.
public struct CreateIndexStatement: Sendable, Hashable {
    /// What is indexed.
    public enum Target: Sendable, Hashable {
        case column(String)
        case keys(String)
        case values(String)
        case entries(String)
        case full(String)
    }

    /// The index's name, if given.
    public let name: QualifiedName?
    /// `IF NOT EXISTS`.
    public let ifNotExists: Bool
    /// `CUSTOM`.
    public let isCustom: Bool
    /// The table.
    public let table: QualifiedName
    /// What is indexed; may be empty for custom indexes.
    public let targets: [Target]
    /// `USING 'class'`.
    public let using: String?
    /// `WITH`.
    public let properties: [Property]
}

/// `CREATE MATERIALIZED VIEW`.
public struct CreateViewStatement: Sendable, Hashable {
    /// The view.
    public let name: QualifiedName
    /// `IF NOT EXISTS`.
    public let ifNotExists: Bool
    /// The columns of the view.
    public let projection: SelectStatement.Projection
    /// The base table.
    public let baseTable: QualifiedName
    /// `WHERE`.
    public let relations: [Relation]
    /// The view's key.
    public let primaryKey: PrimaryKey
    /// `WITH`.
    public let options: TableOptions
}

/// `CREATE FUNCTION`.
public struct CreateFunctionStatement: Sendable, Hashable {
    /// The function.
    public let name: QualifiedName
    /// `OR REPLACE`.
    public let orReplace: Bool
    /// `IF NOT EXISTS`.
    public let ifNotExists: Bool
    /// Argument names and types.
    public let arguments: [ColumnDefinition]
    /// `CALLED ON NULL INPUT` instead of `RETURNS NULL ON NULL INPUT`.
    public let calledOnNullInput: Bool
    /// `RETURNS`.
    public let returnType: CQLType
    /// `LANGUAGE`.
    public let language: String
    /// `AS`.
    public let body: String
}

/// `CREATE AGGREGATE`.
public struct CreateAggregateStatement: Sendable, Hashable {
    /// The aggregate.
    public let name: QualifiedName
    /// `OR REPLACE`.
    public let orReplace: Bool
    /// `IF NOT EXISTS`.
    public let ifNotExists: Bool
    /// Argument types.
    public let argumentTypes: [CQLType]
    /// `SFUNC`.
    public let stateFunction: String
    /// `STYPE`.
    public let stateType: CQLType
    /// `FINALFUNC`.
    public let finalFunction: String?
    /// `INITCOND`.
    public let initialCondition: Term?
}

/// `CREATE TRIGGER`.
public struct CreateTriggerStatement: Sendable, Hashable {
    /// The trigger.
    public let name: String
    /// `IF NOT EXISTS`.
    public let ifNotExists: Bool
    /// The table.
    public let table: QualifiedName
    /// `USING`.
    public let className: String
}
