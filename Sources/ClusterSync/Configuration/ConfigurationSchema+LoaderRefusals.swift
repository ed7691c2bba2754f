extension ConfigurationSchema {
    /// Keys of older loaders' files, and of the dual writer's, that mean nothing here.
    static let loaderRefusals: [Refusal] =
        ["source", "target"].flatMap { cluster in
            [
                Refusal(
                    path: "\(cluster).credentials",
                    advice: "there are no applications; it logs in as \(cluster).username; leave it out"
                ),
                Refusal(path: "\(cluster).keyspace", advice: "name keyspaces in keyspaces.include"),
                Refusal(
                    path: "\(cluster).speculative_execution",
                    advice: "a request is sent again when it failed (retries.max); leave it out"
                ),
                Refusal(
                    path: "\(cluster).speculative_delay_ms",
                    advice: "a request is sent again when it failed (retries.max); leave it out"
                ),
            ]
        } + [
            Refusal(
                path: "loader.num_ranges_per_core",
                advice: "ranges follow the ring and the size estimates; set job.range_bytes"
            ),
            Refusal(
                path: "loader.batch_size",
                advice: "set page_bytes for reading and batch.statements for writing"
            ),
            Refusal(
                path: "loader.checkpoint_interval_secs",
                advice: "how far a range is, is kept whenever the target has confirmed it; leave it out"
            ),
            Refusal(path: "loader.prefetch_rows", advice: "set page_bytes"),
            Refusal(path: "loader.compression", advice: "set source.compression and target.compression"),
            Refusal(
                path: "loader.max_throughput_mbps",
                advice: "set limits.bytes_per_second, in bytes"
            ),
            Refusal(path: "loader.retry_delay_secs", advice: "set retries.pause_ms, in milliseconds"),
            Refusal(
                path: "loader.skip_on_error",
                advice:
                    "what the target refuses is in dead_letters.folder, and what cannot be read is told range by range; "
                    + "leave it out"
            ),
            Refusal(
                path: "loader.failed_rows_file",
                advice: "each worker has a file of its own; set dead_letters.folder"
            ),
            Refusal(path: "loader.enable_pagination", advice: "reading is always paged; leave it out"),
            Refusal(path: "observability.metrics_port", advice: "set admin.listen, with the address"),
            Refusal(path: "observability.jaeger_endpoint", advice: "there is no tracing; leave it out"),
            Refusal(
                path: "filters.tenant_blacklist",
                advice: "whole tables are loaded; leave tables out with tables.exclude"
            ),
            Refusal(
                path: "filters.tenant_id_columns",
                advice: "whole tables are loaded; leave tables out with tables.exclude"
            ),
            Refusal(path: "filters.reload_interval_secs", advice: "what a job loads stays as it began; leave it out"),
            Refusal(path: "writer", advice: "it belongs into the file of dual-writer"),
            Refusal(path: "reader", advice: "it belongs to comparing clusters; leave it out"),
            Refusal(path: "write_mode", advice: "it belongs into the file of dual-writer"),
            Refusal(path: "journal", advice: "it belongs into the file of dual-writer"),
            Refusal(path: "listen", advice: "no application connects here; the admin port is admin.listen"),
        ]
}
