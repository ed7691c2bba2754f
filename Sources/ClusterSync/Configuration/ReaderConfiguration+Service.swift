import CQLProtocol
import DualReader

/// What a reader repairs, whom it asks, and how it serves.
extension ReaderConfiguration {
    struct Repair: Sendable, Equatable {
        var policy: RepairPolicy
        var deletesExtras: Bool
        var alignsSource: Bool
        var repairsCounters: Bool
        /// Whether the service repairs what it finds.
        var isAutomatic: Bool
        /// The length at which the report is put aside.
        var fileBytes: Int
        /// Reports that were put aside and are kept.
        var files: Int
        var consistency: Consistency

        init(_ values: inout ConfigurationValues) {
            self.policy = RepairPolicy(rawValue: values.choice("repair.policy")) ?? .manual
            self.deletesExtras = values.flag("repair.delete_extras")
            self.alignsSource = values.flag("repair.align_source")
            self.repairsCounters = values.flag("repair.counters")
            self.isAutomatic = values.flag("repair.automatically")
            self.fileBytes = values.integer("repair.file_bytes")
            self.files = values.integer("repair.files")
            self.consistency = values.consistency("consistency.write")
            if self.isAutomatic, self.policy == .manual {
                values.fault("repair.automatically", "needs a repair.policy other than manual: who is right?")
            }
        }

        /// What the engine is told.
        func settings(isDryRun: Bool) -> RepairSettings {
            var settings = RepairSettings()
            settings.policy = self.policy
            settings.isDryRun = isDryRun
            settings.deletesExtras = self.deletesExtras
            settings.alignsSource = self.alignsSource
            settings.repairsCounters = self.repairsCounters
            return settings
        }
    }

    /// The dual writer's sidecars.
    struct Sidecars: Sendable {
        /// Of their admin ports, with `http://` or `https://`.
        var addresses: [String]
        var token: Secret?
        /// For `https://`: whom to trust and what to show.
        var tls: TLSFiles
        var timeoutMilliseconds: Int

        init(_ values: inout ConfigurationValues) {
            self.addresses = values.texts("dual_writer.admin")
            for address in self.addresses where !address.hasPrefix("http://") && !address.hasPrefix("https://") {
                values.fault("dual_writer.admin", "'\(address.prefix(80))' is no address such as http://127.0.0.1:8080")
            }
            self.token = values.secret("dual_writer.token", file: "dual_writer.token_file")
            self.tls = TLSFiles.client(&values, below: "dual_writer.tls")
            self.timeoutMilliseconds = values.integer("dual_writer.timeout_ms")
        }
    }

    struct Service: Sendable {
        /// How often it compares by itself; 0 for never.
        var intervalSeconds: Int
        /// Verdicts that are remembered.
        var historyMax: Int
        /// Differences that are remembered.
        var discrepanciesMax: Int
        var admin: ListenAddress
        var token: Secret?
        var adminTLS: TLSFiles?

        init(_ values: inout ConfigurationValues) {
            self.intervalSeconds = values.integer("service.interval_seconds")
            self.historyMax = values.integer("service.history")
            self.discrepanciesMax = values.integer("service.discrepancies_max")
            self.admin = values.address("admin.listen")
            self.token = values.secret("admin.token", file: "admin.token_file")
            self.adminTLS = TLSFiles.admin(&values)
        }
    }
}
