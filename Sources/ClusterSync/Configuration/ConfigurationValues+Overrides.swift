import DualWriteCore

extension ConfigurationValues {
    /// Tables with modes of their own, each as `keyspace.table=Mode`.
    mutating func overrides(_ path: String) -> ModeOverrides {
        var list: [ModeOverride] = []
        do throws(ModeOverridesError) {
            for text in self.texts(path) { list.append(try ModeOverride(parsing: text)) }
            return try ModeOverrides(list)
        } catch {
            self.fault(path, error.description)
            return .none
        }
    }
}
