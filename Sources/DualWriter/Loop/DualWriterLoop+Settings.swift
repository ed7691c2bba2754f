import DualWriteCore

extension DualWriterLoop {
    /// What may change at run time. A request keeps the plan that it began with.
    struct Settings: Sendable {
        var stage: ModeStage
        /// Tables that have modes of their own.
        var overrides = ModeOverrides.none
        var policy: StatementPolicy
        var timeouts: DualWriterTimeouts
        /// The tables that are wanted on the shadow.
        var filter: ShadowFilter = .all
        /// Clusters on which all clients act under the configured credentials.
        var actingAsConfigured: Set<Cluster> = []
        var comparison = ComparisonSettings()
        var requestLog = RequestLogSettings()

        var mode: WriteMode { self.stage.mode }
        var modes: TableModes { TableModes(self.stage, self.overrides) }
    }
}
