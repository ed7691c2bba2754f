import DualWriteCore
import Testing

struct ModeTransitionTests {
    @Test func `one step in either direction is free, more needs force and a reason`() throws {
        for from in WriteMode.allCases {
            for to in WriteMode.allCases {
                let distance = abs(Int(from.rawValue) - Int(to.rawValue))
                switch distance {
                case 0: #expect(try ModeTransition.check(from: from, to: to, force: false, reason: nil) == .none)
                case 1: #expect(try ModeTransition.check(from: from, to: to, force: false, reason: nil) == .step)
                default:
                    let error = #expect(throws: ModeTransitionError.self) {
                        try ModeTransition.check(from: from, to: to, force: false, reason: "hurry")
                    }
                    #expect(error?.code == .tooFar)
                    #expect(error?.next.map { abs(Int($0.rawValue) - Int(from.rawValue)) } == 1)
                    for reason in [nil, "", "  \n"] {
                        #expect(throws: ModeTransitionError.self) {
                            try ModeTransition.check(from: from, to: to, force: true, reason: reason)
                        }
                    }
                    #expect(try ModeTransition.check(from: from, to: to, force: true, reason: "drill") == .forced)
                }
            }
        }
    }
}
