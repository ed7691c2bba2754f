import DualWriteCore
import Testing

struct OutcomeTests {
    @Test(arguments: [
        (Int32(0x000A), AnswerClass.definiteRefusal), (0x0100, .definiteRefusal), (0x1000, .definiteRefusal),
        (0x1001, .definiteRefusal), (0x1002, .definiteRefusal), (0x2000, .definiteRefusal), (0x2100, .definiteRefusal),
        (0x2200, .definiteRefusal), (0x2300, .definiteRefusal), (0x2400, .definiteRefusal), (0x2500, .definiteRefusal),
        (0x1400, .definiteRefusal), (0x0000, .unknown), (0x1003, .unknown), (0x1100, .unknown), (0x1200, .unknown),
        (0x1300, .unknown), (0x1500, .unknown), (0x1700, .unknown), (0x7fff_0000, .unknown),
    ])
    func `an error code says whether the write can have happened`(code: Int32, expected: AnswerClass) {
        #expect(AnswerClass(opcode: 0x00, errorCode: code) == expected)
    }

    @Test func `an error without a code proves nothing`() {
        #expect(AnswerClass(opcode: 0x00, errorCode: nil) == .unknown)
        #expect(AnswerClass(opcode: 0x08, errorCode: nil) == .success)
    }

    @Test func `a join never tells the client of a success that only one cluster had`() {
        for shadow in [AnswerClass.definiteRefusal, .unknown] {
            for isRepeatable in [true, false] {
                let fail = JoinOutcome(primary: .success, shadow: shadow, isRepeatable: isRepeatable, policy: .fail)
                #expect(fail.reply == .shadow)
                #expect(fail.shipTo == .shadow || fail.doubt == .shadowUnknown)
                let degrade = JoinOutcome(
                    primary: .success,
                    shadow: shadow,
                    isRepeatable: isRepeatable,
                    policy: .degrade
                )
                #expect(degrade.reply == .primary)
                #expect(degrade.shipTo == .shadow || degrade.doubt == .shadowUnknown)
            }
        }
    }

    @Test func `what must not run twice is never shipped after an unknown outcome of the same cluster`() {
        for primary in [AnswerClass.success, .unknown] {
            let outcome = JoinOutcome(primary: primary, shadow: .unknown, isRepeatable: false, policy: .fail)
            #expect(outcome.shipTo == nil)
            #expect(outcome.doubt != nil)
        }
        let lostPrimary = JoinOutcome(primary: .unknown, shadow: .success, isRepeatable: false, policy: .fail)
        #expect(lostPrimary.shipTo == nil && lostPrimary.doubt == .primaryUnknown)
    }

    @Test func `a repeatable write that one cluster has reaches the other one`() {
        #expect(JoinOutcome(primary: .unknown, shadow: .success, isRepeatable: true, policy: .fail).shipTo == .primary)
        #expect(JoinOutcome(primary: .success, shadow: .unknown, isRepeatable: true, policy: .fail).shipTo == .shadow)
        #expect(JoinOutcome(primary: .unknown, shadow: .unknown, isRepeatable: true, policy: .fail).shipTo == .shadow)
    }

    @Test func `shadow writes are repeated only where that is safe and may help`() {
        func decide(_ answer: AnswerClass, _ code: Int32?, repeatable: Bool, attempt: Int = 1) -> ShadowRetry {
            .decide(
                answer: answer,
                errorCode: code,
                isRepeatable: repeatable,
                attempt: attempt,
                attemptsMax: 3,
                random: 0.5
            )
        }
        #expect(decide(.unknown, 0x1100, repeatable: true) == .after(milliseconds: 37))
        #expect(decide(.unknown, nil, repeatable: true, attempt: 2) == .after(milliseconds: 75))
        #expect(decide(.unknown, 0x0000, repeatable: true, attempt: 2) == .after(milliseconds: 75))
        #expect(decide(.unknown, 0x0000, repeatable: true, attempt: 3) == .giveUp)
        #expect(decide(.unknown, 0x1500, repeatable: true, attempt: 3) == .giveUp)
        #expect(decide(.unknown, nil, repeatable: false) == .doubt)
        #expect(decide(.definiteRefusal, 0x1001, repeatable: false) == .after(milliseconds: 37))
        #expect(decide(.definiteRefusal, 0x2200, repeatable: true) == .giveUp)
    }

    @Test func `what has to wait is never given up`() {
        for (answer, code) in [
            (AnswerClass.unknown, Int32?.none), (.unknown, 0x1100), (.definiteRefusal, 0x1000),
            (.definiteRefusal, 0x1001),
        ] {
            let retry = ShadowRetry.decide(
                answer: answer,
                errorCode: code,
                isRepeatable: true,
                attempt: 1_000,
                attemptsMax: 3,
                random: 0
            )
            #expect(retry == .after(milliseconds: 5_000))
        }
    }

    @Test func `pauses grow to the limit and no further`() {
        for attempt in 1...40 {
            let retry = ShadowRetry.decide(
                answer: .unknown,
                errorCode: nil,
                isRepeatable: true,
                attempt: attempt,
                attemptsMax: 100,
                random: 1
            )
            let expected = min(10_000, 50 << min(attempt - 1, 16))
            #expect(retry == .after(milliseconds: expected))
        }
    }
}
