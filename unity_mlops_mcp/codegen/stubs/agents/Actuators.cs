// Unity.MLAgents.Actuators: what an agent does.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using UnityEngine;

namespace Unity.MLAgents.Actuators
{
    public readonly struct ActionSegment<T> : IEnumerable<T> where T : struct
    {
        public readonly int Offset;
        public readonly int Length;
        public static ActionSegment<T> Empty = new ActionSegment<T>(new T[0], 0, 0);

        public ActionSegment(T[] actionArray) : this(actionArray ?? new T[0], 0, actionArray?.Length ?? 0) { }
        public ActionSegment(T[] actionArray, int offset, int length)
        {
            Array = actionArray;
            Offset = offset;
            Length = length;
        }

        public T[] Array { get; }
        public T this[int index]
        {
            get { return Array[At(index)]; }
            set { Array[At(index)] = value; }
        }

        int At(int index) => index >= 0 && index < Length ? Offset + index
            : throw new IndexOutOfRangeException("Index out of bounds, expected a number between 0 and " + Length);

        public void Clear() { System.Array.Clear(Array, Offset, Length); }
        public bool IsEmpty() => Length == 0;
        IEnumerator<T> IEnumerable<T>.GetEnumerator() => Array.Skip(Offset).Take(Length).GetEnumerator();
        IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<T>)this).GetEnumerator();
    }

    public readonly struct ActionBuffers
    {
        public static ActionBuffers Empty = new ActionBuffers(ActionSegment<float>.Empty, ActionSegment<int>.Empty);

        public ActionBuffers(float[] continuousActions, int[] discreteActions)
            : this(new ActionSegment<float>(continuousActions), new ActionSegment<int>(discreteActions)) { }
        public ActionBuffers(ActionSegment<float> continuousActions, ActionSegment<int> discreteActions)
        {
            ContinuousActions = continuousActions;
            DiscreteActions = discreteActions;
        }

        public ActionSegment<float> ContinuousActions { get; }
        public ActionSegment<int> DiscreteActions { get; }
        public static ActionBuffers FromDiscreteActions(float[] discreteActions) =>
            new ActionBuffers(new float[0], discreteActions.Select(one => (int)one).ToArray());
        public void Clear()
        {
            ContinuousActions.Clear();
            DiscreteActions.Clear();
        }
        public bool IsEmpty() => ContinuousActions.IsEmpty() && DiscreteActions.IsEmpty();
    }

    [Serializable]
    public struct ActionSpec
    {
        [SerializeField] int m_NumContinuousActions;
        public int[] BranchSizes;

        public ActionSpec(int numContinuousActions = 0, int[] discreteBranchSizes = null)
        {
            m_NumContinuousActions = numContinuousActions;
            BranchSizes = discreteBranchSizes ?? new int[0];
        }

        public int NumContinuousActions { get { return m_NumContinuousActions; } set { m_NumContinuousActions = value; } }
        public int NumDiscreteActions => BranchSizes == null ? 0 : BranchSizes.Length;
        public int SumOfDiscreteBranchSizes => BranchSizes == null ? 0 : BranchSizes.Sum();
        public static ActionSpec MakeContinuous(int numActions) => new ActionSpec(numActions);
        public static ActionSpec MakeDiscrete(params int[] branchSizes) => new ActionSpec(0, branchSizes);
        public static ActionSpec Combine(params ActionSpec[] specs) =>
            new ActionSpec(specs.Sum(one => one.NumContinuousActions), specs.SelectMany(one => one.BranchSizes ?? new int[0]).ToArray());
    }

    public interface IDiscreteActionMask
    {
        void SetActionEnabled(int branch, int actionIndex, bool isEnabled);
    }

    public interface IActionReceiver
    {
        void OnActionReceived(ActionBuffers actionBuffers);
        void WriteDiscreteActionMask(IDiscreteActionMask actionMask);
    }

    public interface IHeuristicProvider
    {
        void Heuristic(in ActionBuffers actionBuffersOut);
    }

    public enum BuiltInActuatorType { Custom = 0, AgentVectorActuator = 1, VectorActuator = 2 }

    public interface IActuator : IActionReceiver, IHeuristicProvider
    {
        ActionSpec ActionSpec { get; }
        string Name { get; }
        void ResetData();
    }

    public abstract class ActuatorComponent : MonoBehaviour
    {
        public abstract IActuator[] CreateActuators();
        public abstract ActionSpec ActionSpec { get; }
    }
}
