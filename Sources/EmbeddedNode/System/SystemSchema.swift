import CQLSyntax

/// The definitions of the system keyspaces' tables, as Cassandra 4.1 has them.
///
/// Tables that no driver and no tool reads are left out.
enum SystemSchema {
    /// Keyspaces whose tables are in `system_schema`, with their replication.
    static let replication: [String: [String: String]] = [
        "system": ["class": locator + "LocalStrategy"],
        "system_schema": ["class": locator + "LocalStrategy"],
        "system_auth": ["class": locator + "SimpleStrategy", "replication_factor": "1"],
        "system_distributed": ["class": locator + "SimpleStrategy", "replication_factor": "3"],
        "system_traces": ["class": locator + "SimpleStrategy", "replication_factor": "2"],
    ]
    /// Keyspaces whose tables are in `system_virtual_schema`.
    static let virtualKeyspaces: Set<String> = ["system_virtual_schema", "system_views"]

    private static let locator = "org.apache.cassandra.locator."

    /// The keyspaces with empty tables. Made once per schema.
    static func keyspaces() -> [String: Keyspace] {
        var keyspaces: [String: Keyspace] = [:]
        for (name, replication) in self.replication {
            keyspaces[name] = Keyspace(name: name, replication: replication, durableWrites: true)
        }
        for name in self.virtualKeyspaces {
            keyspaces[name] = Keyspace(name: name, replication: [:], durableWrites: true)
        }
        let schema = Schema()
        for text in self.tables {
            guard case .createTable(let create) = try? Parser.parse("CREATE TABLE " + text),
                let keyspace = keyspaces[create.name.keyspace ?? ""]
            else { preconditionFailure("the definition of a system table is wrong: \(text)") }
            guard let columns = try? schema.columns(create, keyspace: keyspace.name) else {
                preconditionFailure("the types of a system table are wrong: \(text)")
            }
            // A version 3 UUID of the name, so that all nodes agree on it.
            var id = MD5.digest(Bytes((keyspace.name + create.name.name).utf8))
            id[6] = id[6] & 0x0f | 0x30
            id[8] = id[8] & 0x3f | 0x80
            keyspace.tables[create.name.name] = Table(
                keyspace: keyspace.name,
                name: create.name.name,
                id: id,
                columns: columns,
                options: [:]
            )
        }
        return keyspaces
    }

    private static let tables: [String] = [
        """
        system.local (key text PRIMARY KEY, bootstrapped text, broadcast_address inet, broadcast_port int, \
        cluster_name text, cql_version text, data_center text, gossip_generation int, host_id uuid, \
        listen_address inet, listen_port int, native_protocol_version text, partitioner text, rack text, \
        release_version text, rpc_address inet, rpc_port int, schema_version uuid, tokens set<text>, \
        truncated_at map<uuid, blob>)
        """,
        """
        system.peers (peer inet PRIMARY KEY, data_center text, host_id uuid, preferred_ip inet, rack text, \
        release_version text, rpc_address inet, schema_version uuid, tokens set<text>)
        """,
        """
        system.peers_v2 (peer inet, peer_port int, data_center text, host_id uuid, native_address inet, \
        native_port int, preferred_ip inet, preferred_port int, rack text, release_version text, \
        schema_version uuid, tokens set<text>, PRIMARY KEY (peer, peer_port))
        """,
        """
        system.size_estimates (keyspace_name text, table_name text, range_start text, range_end text, \
        mean_partition_size bigint, partitions_count bigint, \
        PRIMARY KEY (keyspace_name, table_name, range_start, range_end))
        """,
        """
        system.table_estimates (keyspace_name text, table_name text, range_type text, range_start text, \
        range_end text, mean_partition_size bigint, partitions_count bigint, \
        PRIMARY KEY (keyspace_name, table_name, range_type, range_start, range_end))
        """,
        "system.built_views (keyspace_name text, view_name text, status_replicated boolean, "
            + "PRIMARY KEY (keyspace_name, view_name))",
        "system.\"IndexInfo\" (table_name text, index_name text, value blob, PRIMARY KEY (table_name, index_name))",
        """
        system.compaction_history (id uuid PRIMARY KEY, bytes_in bigint, bytes_out bigint, columnfamily_name text, \
        compacted_at timestamp, keyspace_name text, rows_merged map<int, bigint>)
        """,
        "system.prepared_statements (prepared_id blob PRIMARY KEY, logged_keyspace text, query_string text)",
        "system.batches (id timeuuid PRIMARY KEY, mutations list<blob>, version int)",
        """
        system.paxos (row_key blob, cf_id uuid, in_progress_ballot timeuuid, in_progress_read_ballot timeuuid, \
        most_recent_commit blob, most_recent_commit_at timeuuid, most_recent_commit_version int, proposal blob, \
        proposal_ballot timeuuid, proposal_version int, PRIMARY KEY (row_key, cf_id))
        """,
        "system_schema.keyspaces (keyspace_name text PRIMARY KEY, durable_writes boolean, "
            + "replication frozen<map<text, text>>)",
        "system_schema.tables (keyspace_name text, table_name text, \(options), flags frozen<set<text>>, "
            + "PRIMARY KEY (keyspace_name, table_name))",
        """
        system_schema.columns (keyspace_name text, table_name text, column_name text, clustering_order text, \
        column_name_bytes blob, kind text, position int, type text, \
        PRIMARY KEY (keyspace_name, table_name, column_name))
        """,
        """
        system_schema.dropped_columns (keyspace_name text, table_name text, column_name text, \
        dropped_time timestamp, kind text, type text, PRIMARY KEY (keyspace_name, table_name, column_name))
        """,
        "system_schema.triggers (keyspace_name text, table_name text, trigger_name text, "
            + "options frozen<map<text, text>>, PRIMARY KEY (keyspace_name, table_name, trigger_name))",
        "system_schema.views (keyspace_name text, view_name text, base_table_id uuid, base_table_name text, "
            + "include_all_columns boolean, where_clause text, \(options), PRIMARY KEY (keyspace_name, view_name))",
        "system_schema.types (keyspace_name text, type_name text, field_names frozen<list<text>>, "
            + "field_types frozen<list<text>>, PRIMARY KEY (keyspace_name, type_name))",
        """
        system_schema.functions (keyspace_name text, function_name text, argument_types frozen<list<text>>, \
        argument_names frozen<list<text>>, body text, called_on_null_input boolean, language text, \
        return_type text, PRIMARY KEY (keyspace_name, function_name, argument_types))
        """,
        """
        system_schema.aggregates (keyspace_name text, aggregate_name text, argument_types frozen<list<text>>, \
        final_func text, initcond text, return_type text, state_func text, state_type text, \
        PRIMARY KEY (keyspace_name, aggregate_name, argument_types))
        """,
        """
        system_schema.indexes (keyspace_name text, table_name text, index_name text, kind text, \
        options frozen<map<text, text>>, PRIMARY KEY (keyspace_name, table_name, index_name))
        """,
        """
        system_auth.roles (role text PRIMARY KEY, can_login boolean, is_superuser boolean, member_of set<text>, \
        salted_hash text)
        """,
        "system_auth.role_members (role text, member text, PRIMARY KEY (role, member))",
        "system_auth.role_permissions (role text, resource text, permissions set<text>, PRIMARY KEY (role, resource))",
        "system_auth.resource_role_permissons_index (resource text, role text, PRIMARY KEY (resource, role))",
        "system_auth.network_permissions (role text PRIMARY KEY, dcs frozen<set<text>>)",
        """
        system_traces.sessions (session_id uuid PRIMARY KEY, client inet, command text, coordinator inet, \
        coordinator_port int, duration int, parameters map<text, text>, request text, started_at timestamp)
        """,
        """
        system_traces.events (session_id uuid, event_id timeuuid, activity text, source inet, source_elapsed int, \
        source_port int, thread text, PRIMARY KEY (session_id, event_id))
        """,
        "system_distributed.view_build_status (keyspace_name text, view_name text, host_id uuid, status text, "
            + "PRIMARY KEY ((keyspace_name, view_name), host_id))",
        "system_virtual_schema.keyspaces (keyspace_name text PRIMARY KEY)",
        "system_virtual_schema.tables (keyspace_name text, table_name text, comment text, "
            + "PRIMARY KEY (keyspace_name, table_name))",
        """
        system_virtual_schema.columns (keyspace_name text, table_name text, column_name text, clustering_order text, \
        column_name_bytes blob, kind text, position int, type text, \
        PRIMARY KEY (keyspace_name, table_name, column_name))
        """,
        "system_views.settings (name text PRIMARY KEY, value text)",
    ]

    private static let options = """
        additional_write_policy text, bloom_filter_fp_chance double, caching frozen<map<text, text>>, cdc boolean, \
        comment text, compaction frozen<map<text, text>>, compression frozen<map<text, text>>, \
        crc_check_chance double, dclocal_read_repair_chance double, default_time_to_live int, \
        extensions frozen<map<text, blob>>, gc_grace_seconds int, id uuid, max_index_interval int, memtable text, \
        memtable_flush_period_in_ms int, min_index_interval int, read_repair text, read_repair_chance double, \
        speculative_retry text
        """
}
