package chattest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"floorwalker/bot/chat"
)

func TestNetwork(t *testing.T) {
	Run(t, func(t *testing.T) Harness {
		n := NewNetwork("memory")
		n.AddPerson("ann", chat.Person{Name: "Ann"})
		n.AddPerson("bob", chat.Person{Name: "Bob"})
		n.AddChannel("floor")
		n.AddChannel("attic")
		n.Bar("attic", true)
		return Harness{
			Adapter: n, User: "ann", Other: "bob", Channel: "floor", Gone: "carl", Barred: "attic",
			Can: Capabilities{Forms: true, SecretForms: true, Redeliver: true, Edit: true, Confirm: true},
			Do:  n.Do, Sees: n.Sees, Acked: n.Acked, Stall: n.Stall,
		}
	})
}

func TestNetworkFaults(t *testing.T) {
	n := NewNetwork("memory")
	n.AddPerson("ann", chat.Person{Name: "Ann"})
	n.Fail(chat.ErrRefused, 1)
	n.FailLate(chat.ErrUnclear, 1)
	out := chat.Outgoing{To: chat.Address{Network: "memory", ID: "ann"}, Message: chat.Message{Title: "hello"}}
	for i, want := range []struct {
		err  error
		seen int
	}{{chat.ErrRefused, 0}, {chat.ErrUnclear, 1}, {nil, 2}} {
		if _, err := n.Send(t.Context(), out); !errors.Is(err, want.err) || len(n.Sees("ann")) != want.seen {
			t.Errorf("call %d: error %v and %d seen, want %v and %d", i, err, len(n.Sees("ann")), want.err, want.seen)
		}
	}
	if n.Remove("ann"); len(n.Sent()) != 2 {
		t.Errorf("%d were sent, want 2", len(n.Sent()))
	}
	if _, err := n.Send(t.Context(), out); !errors.Is(err, chat.ErrGone) {
		t.Errorf("Send to somebody who left: %v", err)
	}
	if err := n.Do(Act{User: "ann"}); err == nil {
		t.Error("somebody who left can act")
	}
}

func TestNetworkComplains(t *testing.T) {
	n := NewNetwork("memory")
	n.AddPerson("ann", chat.Person{Name: "Ann"})
	a := &app{}
	a.answer(func(_ context.Context, r chat.Request) (chat.Reply, error) {
		switch r.Text {
		case "panic":
			panic("boom")
		case "error":
			return chat.Reply{}, errors.New("it broke")
		default:
			return chat.Reply{}, chat.ErrDuplicate
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- n.Run(ctx, a) }()
	for _, text := range []string{"fine", "panic", "error"} {
		if err := n.Do(Act{User: "ann", Kind: chat.KindCommand, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	n.Idle()
	cancel()
	<-ended // a panic is reported after its act is answered
	if got := n.Complaints(); len(got) != 2 {
		t.Errorf("complaints: %v, want one of the panic and one of the error", got)
	}
}

func TestNetworkIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork("memory")
		n.AddPerson("ann", chat.Person{Name: "Ann"})
		a := &app{}
		a.answer(func(ctx context.Context, _ chat.Request) (chat.Reply, error) {
			first := say("first")
			first.Then = func(context.Context) (chat.Reply, error) {
				time.Sleep(time.Hour)
				return say("second"), nil
			}
			return first, nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- n.Run(ctx, a) }()
		if err := n.Do(Act{User: "ann", Kind: chat.KindCommand, Command: "mystats"}); err != nil {
			t.Fatal(err)
		}
		if n.Idle(); len(holding(n.Sees("ann"), "second")) != 1 {
			t.Errorf("idle before all was answered:\n%s", screen(n.Sees("ann")))
		}
		cancel()
		<-ended
	})
}
