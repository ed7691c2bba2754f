import CQLClient
import DualWriteCore
import DualWriter
import Operations

/// The six-field document.
extension SidecarControl {
    /// Applies hosts, times and mode of a document; what fails puts the hosts back.
    func carryOut(_ change: ConfigurationChange) async throws(AdminError) {
        var hosts = self.hosts
        if let source = change.cassandraHosts { hosts.source = source }
        if let target = change.scyllaHosts { hosts.target = target }
        for (key, list) in [("cassandra_hosts", hosts.source), ("scylla_hosts", hosts.target)] {
            for host in list {
                do throws(ContactPointError) {
                    _ = try ContactPoint(parsing: host)
                } catch {
                    throw AdminError(.invalidConfiguration, "\(key): \(error)", hint: "Nothing was changed.")
                }
            }
        }
        var mode = self.phaseState.mode
        if let text = change.writeMode {
            do {
                mode = try self.parsed(text)
            } catch {
                throw AdminError(.invalidConfiguration, "write_mode: \(error.message)", hint: error.hint)
            }
        }
        let transition = try self.checkTransition(to: mode, force: false, reason: nil)
        if let missing = Self.missing(mode, self.phaseState.modes.overrides, hosts) {
            throw AdminError(.clusterUnreachable, missing, hint: "Nothing was changed.")
        }
        let before = self.hosts
        let source = hosts.source == before.source ? nil : hosts.source
        let target = hosts.target == before.target ? nil : hosts.target
        if source != nil || target != nil {
            do {
                try await self.proxy.setHosts(source: source, target: target)
            } catch {
                throw AdminError(.clusterUnreachable, "\(error)", hint: "Nothing was changed.")
            }
        }
        if transition != .none || self.readsAreAhead && change.writeMode != nil {
            do {
                // Older orchestration knows of no reports and has no way to overrule: what it cannot know is not asked.
                let step = self.modeStep(to: mode)
                let judgement = try await self.passOwn(
                    step,
                    force: false,
                    reason: nil,
                    leavingOut: Self.gatesOfReports
                )
                let phase = PhaseChange(mode: mode.name, by: change.by)
                try await self.move(to: mode, phase, forced: false, judgement, as: .phase)
            } catch {
                if source != nil || target != nil {
                    try? await self.proxy.setHosts(
                        source: source == nil ? nil : before.source,
                        target: target == nil ? nil : before.target
                    )
                }
                throw error
            }
        }
        self.hosts = hosts
        try await self.applyTimes(change)
    }

    private func applyTimes(_ change: ConfigurationChange) async throws(AdminError) {
        var timeouts = self.timeouts
        if let milliseconds = change.shadowWriteTimeoutMs { timeouts.shadowWriteMilliseconds = milliseconds }
        if let milliseconds = change.primaryWriteTimeoutMs { timeouts.primaryWriteMilliseconds = milliseconds }
        if timeouts != self.timeouts {
            do {
                try await self.proxy.setTimeouts(timeouts)
            } catch {
                throw AdminError(.changeFailed, "the timeouts could not be changed: \(error)")
            }
            self.timeouts = timeouts
        }
        if let percentage = change.validationPercentage, percentage != self.validationPercentage {
            do {
                try await self.proxy.setComparisonPercentage(percentage)
            } catch {
                throw AdminError(.changeFailed, "the share of compared reads could not be changed: \(error)")
            }
            self.validationPercentage = percentage
        }
    }
}

extension ConfigurationChange {
    /// What was given, for the audit.
    var words: String {
        var words: [String] = []
        if let hosts = self.cassandraHosts { words.append("cassandra_hosts \(hosts.joined(separator: ","))") }
        if let hosts = self.scyllaHosts { words.append("scylla_hosts \(hosts.joined(separator: ","))") }
        if let mode = self.writeMode { words.append("write_mode \(mode)") }
        if let percentage = self.validationPercentage { words.append("validation_percentage \(percentage)") }
        if let time = self.shadowWriteTimeoutMs { words.append("shadow_write_timeout_ms \(time)") }
        if let time = self.primaryWriteTimeoutMs { words.append("primary_write_timeout_ms \(time)") }
        return String(words.joined(separator: ", ").prefix(1_024))
    }
}
